import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { RtmpClient } from '../../src/client/rtmp-client.ts'
import { encodePingRequest } from '../../src/rtmp/control.ts'
import { LivePair, stillServes } from './support/live-pair.ts'
import { chunkHeader, garbage, RawPeer } from './support/raw-peer.ts'
import { startServer } from './support/server.ts'
import { sharedServer } from './support/shared-server.ts'
import { servedBy, TestPlayer } from './support/test-player.ts'

const shared = sharedServer()

test('a handshake byte by byte is cut off after handshake_timeout, however busy it is', async () => {
  const server = await startServer({ settings: { handshake_timeout: 1 } })
  const peer = await RawPeer.connect(server)
  peer.write(Buffer.of(3))
  while (!peer.socket.closed) {
    peer.write(Buffer.of(0))
    await delay(20)
  }
  expect(await peer.closed()).toMatchObject({
    code: 'RTMP_TIMEOUT',
    reason: expect.stringContaining('handshake'),
  })
  await stillServes(server)
})

test('a peer that never connects to an application is closed after connect_timeout', async () => {
  const server = await startServer({ settings: { connect_timeout: 1 } })
  const peer = await RawPeer.shakeHands(server)
  expect(await peer.closed()).toMatchObject({
    code: 'RTMP_TIMEOUT',
    reason: expect.stringContaining('connect'),
  })
  await stillServes(server)
})

test('a client that neither publishes nor plays is closed after action_timeout', async () => {
  const server = await startServer({ settings: { action_timeout: 1 } })
  const client = await RtmpClient.connect(server.url('one'))
  const line = await server.waitForLog({ cid: servedBy(client).connectionId, msg: 'closed' })
  expect(line).toMatchObject({ code: 'RTMP_TIMEOUT', reason: expect.stringContaining('publish or play') })
  await stillServes(server)
})

test('a message above max_message_size is refused by its header', async () => {
  const server = shared()
  const peer = await RawPeer.connectApp(server)
  peer.write(chunkHeader(6, 8 * 1024 * 1024 + 1))
  expect(await peer.closed()).toMatchObject({ code: 'RTMP_MESSAGE_SIZE' })
  await stillServes(server)
})

test('messages that are announced and never sent cost no memory', async () => {
  const server = shared()
  await stillServes(server)
  const before = await server.streamWorkerBytes()
  const peers = await Promise.all(Array.from({ length: 50 }, () => RawPeer.connectApp(server)))
  for (const peer of peers) {
    peer.write(Buffer.concat([chunkHeader(6, 8 * 1024 * 1024), Buffer.alloc(128)]))
  }
  // By the time that it has served a stream, the server has read what came before.
  await stillServes(server)
  const status = await server.status()
  expect(status.connections).toBeGreaterThanOrEqual(peers.length)
  expect((await server.streamWorkerBytes()) - before).toBeLessThan(64 * 1024 * 1024)
})

test('a flood of chunk streams is cut off', async () => {
  const server = shared()
  const peer = await RawPeer.connectApp(server)
  const begun = (id: number): Buffer => Buffer.concat([chunkHeader(id, 1000), Buffer.alloc(128)])
  peer.write(Buffer.concat(Array.from({ length: 1100 }, (_, index) => begun(64 + index))))
  expect(await peer.closed()).toMatchObject({ code: 'RTMP_CHUNK_STREAMS' })
  await stillServes(server)
})

test('an HTTP request is not answered', async () => {
  const server = shared()
  const peer = await RawPeer.connect(server)
  peer.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  expect(await peer.closed()).toMatchObject({ code: 'RTMP_HANDSHAKE_VERSION' })
  expect(peer.received).toHaveLength(0)
  await stillServes(server)
})

test('a flood of pings from a peer that reads no answer is not read on, and the peer is closed', async () => {
  const server = shared()
  const peer = await RawPeer.connectApp(server)
  peer.socket.pause()
  const pings = Buffer.concat(Array.from({ length: 4000 }, (_, time) => encodePingRequest(time, 128)))
  const flood = (): void => {
    while (!peer.socket.destroyed && peer.write(pings)) {}
  }
  peer.socket.on('drain', flood)
  flood()
  expect(await peer.closed()).toMatchObject({ code: 'RTMP_FLOOD' })
  await stillServes(server)
})

test('above max_connections clients are refused with a line in the log, and the others go on', async () => {
  const server = await startServer({ workers: 2, settings: { max_connections: 2 } })
  const live = await LivePair.start(server.url('one'))
  for (let refused = 0; refused < 20; refused += 1) {
    await expect(TestPlayer.play(server.url('one'))).rejects.toMatchObject({ code: 'RTMP_CLOSED' })
  }
  expect(server.logs().filter(({ code }) => code === 'CONNECTION_LIMIT')).toHaveLength(20)
  await live.goesOn()
  await live.close()
  await server.waitForStatus('the two to be gone', ({ connections }) => connections === 0)
  await stillServes(server)
})

test('garbage instead of a handshake, and behind one, ends the connection and nothing else', async () => {
  const server = shared()
  for (let seed = 0; seed < 30; seed += 1) {
    const bare = await RawPeer.connect(server)
    bare.write(garbage(seed, 5000))
    const behind = await RawPeer.shakeHands(server)
    behind.write(garbage(seed, 5000))
    const inApp = await RawPeer.connectApp(server)
    inApp.write(garbage(seed, 5000))
    for (const peer of [bare, behind, inApp]) {
      // What happens to be the beginning of something long is not over yet.
      peer.socket.end()
      await peer.closed()
    }
  }
  await stillServes(server)
})
