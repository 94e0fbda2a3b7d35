import { expect, test } from 'vitest'
import type { ToMaster } from '../../src/ipc/contract.ts'
import { WantedStreams } from '../../src/pull/wanted-streams.ts'

const stream = '__defaultVhost__/live/x'

function setUp(played: readonly string[] = []) {
  const sent: ToMaster[] = []
  const streams = new WantedStreams(
    (message) => sent.push(message),
    (name) => played.includes(name),
  )
  return { streams, sent }
}

test('a stream that is wanted is watched until it is not', () => {
  const { streams, sent } = setUp()
  const wanted = streams.want(stream)
  expect([wanted.presence, streams.has(stream)]).toStrictEqual(['unknown', true])
  expect(sent).toStrictEqual([{ t: 'watch', stream }])
  wanted.release()
  expect(streams.has(stream)).toBe(false)
  expect(sent.slice(1)).toStrictEqual([{ t: 'unwatch', stream, bytesOut: 0 }])
})

test('one that players here have is theirs to let go', () => {
  const { streams, sent } = setUp([stream])
  streams.want(stream).release()
  expect(sent).toStrictEqual([{ t: 'watch', stream }])
})

test('it is known where it is when the master says so', async () => {
  const { streams } = setUp()
  const wanted = streams.want(stream)
  const known = wanted.known()
  streams.onMessage({ t: 'source-up', stream: 'other', source: 1, path: '', sourceId: '' })
  expect(wanted.presence).toBe('unknown')
  streams.onMessage({ t: 'source-up', stream, source: 1, path: '', sourceId: '' })
  await known
  expect(wanted.presence).toBe('live')
  streams.onMessage({ t: 'source-absent', stream })
  await wanted.known()
  expect(wanted.presence).toBe('absent')
})

test('whoever waits for one that is let go hears that nothing comes', async () => {
  const { streams } = setUp()
  const wanted = streams.want(stream)
  const known = wanted.known()
  wanted.release()
  await known
  expect(wanted.presence).toBe('absent')
})
