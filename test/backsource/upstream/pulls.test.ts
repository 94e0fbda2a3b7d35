import { expect, onTestFinished, test } from 'vitest'
import { isNode } from '../../../src/access/node-token.ts'
import { LiveStream } from '../../../src/backsource/live-stream.ts'
import { Pulls } from '../../../src/backsource/upstream/pulls.ts'
import type { ToMaster } from '../../../src/ipc/contract.ts'
import { readEdge } from '../../../src/rtmp/edge-identity.ts'
import { hopOf } from '../../../src/rtmp/forward-route.ts'
import { type Peer, TinyServer } from '../../client/tiny-server.ts'
import { configOf } from '../../support/config.ts'
import { eventually } from '../../support/eventually.ts'
import { recordingLogger } from '../../support/logger.ts'
import { keyFrame } from '../../support/packets.ts'

const stream = 'tv.example/live/x'

/** The pulls of a back-source, with one stream and one origin. */
async function setUp(cluster = '', change?: (peer: Peer) => void, settings = '') {
  const origin = new TinyServer(change)
  const address = await origin.listen()
  const config = configOf(
    `${settings} vhost tv.example { cluster { ${cluster.includes('mode') ? '' : 'mode remote;'} origin a; ${cluster} } }`,
  )
  const { logger, lines } = recordingLogger()
  const sent: ToMaster[] = []
  const owner = {
    ...{ config, serverId: 's1', logger, ownToken: '', hooks: { onDvr: () => {}, onHls: () => {} } },
    send: (message: ToMaster) => void sent.push(message),
    onDisconnect: () => {},
  }
  const live = new LiveStream(stream, 7, config.vhosts['tv.example']!, logger, owner)
  const pulls = new Pulls(owner)
  pulls.pull(live, { upstreams: [address], route: ['hop000000001'] })
  onTestFinished(() => {
    pulls.stop(7)
    origin.close()
  })
  /** Sends a frame as soon as the stream is played. */
  const begin = async (): Promise<Peer> => {
    await eventually(() => expect(origin.peers.at(-1)?.play ?? null).not.toBeNull())
    const peer = origin.peers.at(-1)!
    peer.session.sendPacket(peer.play!.streamId, keyFrame(0))
    await eventually(() => expect(sent).toContainEqual({ t: 'opened', source: 7 }))
    return peer
  }
  return { origin, address, live, pulls, sent, lines, begin }
}

test('a stream that is pulled is told of when its media comes, with where it comes from', async () => {
  const { address, live, pulls, sent, begin } = await setUp()
  expect(pulls.upstreamOf(7)).toBeNull()
  const { connect } = await begin()
  await eventually(() => expect(pulls.upstreamOf(7)).toMatchObject({ address, connectionId: '31' }))
  expect(sent).toContainEqual({ t: 'upstream-health', address, ok: true })
  expect(live.status()).toMatchObject({ publishing: true, packetsIn: 1 })
  expect(readEdge(connect?.args ?? null)).toMatchObject({ serverId: 's1', pid: String(process.pid) })
  // It goes on from here to those that it is pulled for.
  expect(connect?.route).toStrictEqual(['hop000000001', hopOf('s1', stream)])
})

test('an origin that dislikes to be told who the edge is is not told, and knows the stream by its own virtual host', async () => {
  const { begin } = await setUp('debug_srs_upnode off; vhost origin.[vhost];')
  const { connect, play } = await begin()
  expect(connect?.args).toBeNull()
  expect(play).toMatchObject({ vhost: 'origin.tv.example', app: 'live', stream: 'x' })
})

test.each<[who: string, mode: string, isTold: boolean]>([
  ['a node of the cluster is told what lets this one in', 'local', true],
  ['an origin of an edge is not', 'remote', false],
])('%s', async (_, mode, isTold) => {
  const secret = 'sixteen-letters-'
  const { begin } = await setUp(
    `mode ${mode};`,
    undefined,
    `cluster { registry redis; node a; advertise rtmp://a; secret ${secret}; }`,
  )
  const { play } = await begin()
  expect(isNode({ app: 'live', stream: 'x', param: play?.param ?? '' }, secret)).toBe(isTold)
  if (!isTold) expect(play?.param).toBe('')
})

test('a stream that is nowhere ends its pull, and one that is published here ends it without a word', async () => {
  const { sent, pulls, lines } = await setUp('', (peer) => {
    peer.handler.onPlay = ({ streamId }) => peer.session.rejectPlay(streamId, 'NetStream.Play.Failed', 'no')
  })
  await eventually(() =>
    expect(sent.at(-1)).toMatchObject({ t: 'pull-ended', source: 7, code: 'UPSTREAM_ABSENT' }),
  )
  expect(pulls.has(7)).toBe(false)
  expect(lines.at(-1)).toMatchObject({ msg: 'pull: the stream is not there', code: 'UPSTREAM_ABSENT' })

  const other = await setUp()
  await other.begin()
  other.pulls.stop(7)
  await eventually(() => expect(other.origin.peers[0]?.socket.closed).toBe(true))
  expect(other.sent.filter(({ t }) => t === 'pull-ended')).toStrictEqual([])
  // The publisher takes over from it: nobody has to hear of a pause.
  expect(other.live.status().publishing).toBe(true)
})

test('a stream is pulled for nobody when no worker has subscribed', async () => {
  const { live, pulls, begin } = await setUp()
  await begin()
  expect(pulls.isIdle(live)).toBe(true)
  live.subscribe({
    queuedBytes: 0,
    sendRestart: () => {},
    sendIdle: () => {},
    sendReplay: () => {},
    sendPacket: () => {},
  })
  expect(pulls.isIdle(live)).toBe(false)
  pulls.stop(7)
  expect(pulls.isIdle(live)).toBe(false)
})
