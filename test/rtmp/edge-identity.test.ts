import { expect, test } from 'vitest'
import { amfObject } from '../../src/media/amf-value.ts'
import { edgeArguments, peerOf, readEdge } from '../../src/rtmp/edge-identity.ts'

const identity = { serverId: 'edge0001', pid: '77', connectionId: 'conn0001', ip: '192.0.2.9' }

test('an identity is read as it was told', () => {
  expect(readEdge(edgeArguments(identity))).toStrictEqual(identity)
})

test('all members that SRS tells are told', () => {
  const names = 'sig server license role url version site email copyright primary authors pid id server_ip'
  const args = edgeArguments(identity)
  for (const name of names.split(' ')) expect(args.get(`srs_${name}`), name).toBeDefined()
})

test('what SRS tells, with a number for an id, is read', () => {
  const args = amfObject({ srs_id: 104, srs_pid: 8, srs_server_ip: '10.0.0.1' })
  expect(readEdge(args)).toStrictEqual({ serverId: '', pid: '8', connectionId: '104', ip: '10.0.0.1' })
})

test('a client that does not tell who it is is no edge', () => {
  expect(readEdge(null)).toBeNull()
  expect(readEdge(amfObject({ token: 'x' }))).toBeNull()
})

test('no client fills the log with its names', () => {
  expect(readEdge(amfObject({ srs_id: 'x'.repeat(10_000) }))?.connectionId.length).toBe(64)
})

test('a server is who its answer to connect says, as far as it says it', () => {
  const data = amfObject({ srs_id: 'conn0002', srs_pid: 9, weir_server_id: 'origin01' })
  const peer = { connectionId: 'conn0002', serverId: 'origin01', pid: '9' }
  expect(peerOf(amfObject({ code: 'NetConnection.Connect.Success', data }))).toStrictEqual(peer)
  const unknown = { connectionId: '', serverId: '', pid: '' }
  expect(peerOf(amfObject({ data: 'x' }))).toStrictEqual(unknown)
  expect(peerOf(null)).toStrictEqual(unknown)
})
