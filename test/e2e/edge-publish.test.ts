import { expect, test } from 'vitest'
import { redirectTo } from '../../src/rtmp/redirect.ts'
import { TinyServer } from '../client/tiny-server.ts'
import { hookServer } from '../support/hook-server.ts'
import { FfmpegPlayer, framesOfFile, publishFile } from './support/ffmpeg.ts'
import { fromZero } from './support/frames.ts'
import { media } from './support/media.ts'
import { gapsIn } from './support/played.ts'
import { killMarked } from './support/processes.ts'
import { raceFor } from './support/race.ts'
import { type Server, startServer } from './support/server.ts'
import { TestPlayer } from './support/test-player.ts'
import { TestPublisher } from './support/test-publisher.ts'
import { until } from './support/until.ts'
import { HttpPlayer } from './support/web-player.ts'

function edgeOf(...ports: readonly number[]): string {
  return `mode remote; origin ${ports.map((port) => `127.0.0.1:${port}`).join(' ')};`
}

/** Waits until a server has logged something so many times. */
async function logged(server: Server, msg: string, times: number): Promise<void> {
  await until(
    `${times} times "${msg}"`,
    () => server.logs().filter((line) => line.msg === msg).length >= times,
  )
}

test('a stream that is published on an edge is the origin’s to take, and survives it', async () => {
  // Many streams are to cost few processes.
  const settings = { max_processes: 1 }
  const origin = await startServer({
    settings,
    vhost: 'security { enabled on; allow play all; deny publish 127.0.0.9; }',
  })
  const edgeOptions = { settings, vhost: `cluster { ${edgeOf(origin.port)} push_timeout 20; }` }
  const [edge, otherEdge] = await Promise.all([startServer(edgeOptions), startServer(edgeOptions)])

  // The verdict: one that the origin does not let in, and one whose stream another has.
  const refused = publishFile(media().clip, edge.url('no'))
  expect((await refused.exited).status).not.toBe(0)
  await edge.waitForLog({ msg: 'publish refused', code: 'PUSH_REFUSED' })
  origin.configure({ settings })
  await origin.reload()
  const holder = await TestPublisher.publish(origin.url('busy'))
  await expect(TestPublisher.publish(edge.url('busy'))).rejects.toMatchObject({
    code: 'RTMP_REJECTED',
    message: expect.stringContaining('is published by connection'),
  })
  await holder.close()

  // Two edges at once: the origin takes one of the two each time, and the other encoder hears so.
  const races = Array.from({ length: 20 }, async (_, i) => {
    const pair = i % 2 === 0 ? [edge, otherEdge] : [otherEdge, edge]
    const { winner, refusals } = await raceFor(pair.map((one) => one.url(`race${i}`)))
    expect(refusals).toEqual([expect.stringContaining('is published by connection')])
    winner.stop()
  })
  await Promise.all(races)

  // Every frame, at the origin and at the edge.
  const players = [new FfmpegPlayer(origin.url('one')), new FfmpegPlayer(edge.url('one'))]
  for (const server of [origin, edge]) await server.waitForLog({ msg: 'play' })
  const { video, audio } = await framesOfFile(media().clip)
  const encoder = publishFile(media().clip, edge.url('one'), { rate: 4 })
  for (const player of players) {
    const played = await player.has(video.frames.length, audio.frames.length)
    expect(fromZero(played.video.frames)).toEqual(fromZero(video.frames))
    expect(fromZero(played.audio.frames)).toEqual(fromZero(audio.frames))
  }
  expect((await encoder.exited).status).toBe(0)
  const { upstreamId } = await edge.waitForLog({ msg: 'push: an upstream server takes the stream' })
  await origin.waitForLog({ msg: 'unpublish', cid: upstreamId as string })

  // The origin is killed, and comes back.
  const publisher = await TestPublisher.publish(edge.url('two'))
  publisher.goLive()
  const near = await TestPlayer.play(edge.url('two'))
  await near.has(10)
  killMarked(origin.dir)
  await edge.waitForLog({ msg: 'push: the stream does not get there, the next server is tried' })
  await origin.start()
  const far = await TestPlayer.play(origin.url('two'))
  await far.has(20)
  await near.hasMore(20)
  expect(gapsIn(near.packets, publisher.sent)).toEqual([])
  expect(publisher.client.closed).toBe(false)

  // A reload decides where it goes, while it goes on.
  edge.configure({ settings })
  await edge.reload()
  await logged(origin, 'unpublish', 1)
  edge.configure({ settings, vhost: `cluster { ${edgeOf(origin.port)} }` })
  await edge.reload()
  await far.hasMore(20)
  await near.hasMore(1)
  expect(gapsIn(near.packets, publisher.sent)).toEqual([])
  await publisher.close()
  await logged(origin, 'unpublish', 2)
})

test('an origin is asked about the clients of an edge, and may send the edge elsewhere', async () => {
  const hooks = await hookServer()
  hooks.answer = ({ body }) => (String(body.tcUrl).includes('token=bad') ? '1' : '0')
  const origin = await startServer({
    vhost: `http_hooks { enabled on; on_connect http://127.0.0.1:${hooks.port}/; }`,
  })
  const sendsOn = new TinyServer(({ handler, session }) => {
    handler.onPlay = ({ streamId, ...stream }) =>
      session.redirectPlay(streamId, redirectTo(`rtmp://127.0.0.1:${origin.port}`, stream))
    handler.onPublish = ({ streamId, ...stream }) =>
      session.redirectPublish(streamId, redirectTo(`rtmp://127.0.0.1:${origin.port}`, stream))
  })
  const redirecting = Number(new URL((await sendsOn.listen()).replace('rtmp', 'http')).port)
  const edgeOptions = (port: number, traverse: 'on' | 'off') => ({
    httpWorkers: 1,
    vhost: `http_remux { enabled on; } cluster { ${edgeOf(port)} token_traverse ${traverse}; }`,
  })
  const edge = await startServer(edgeOptions(origin.port, 'on'))

  const publisher = await TestPublisher.publish(edge.url('one?token=good'))
  publisher.goLive()
  const streams = await fetch(edge.httpUrl('/api/v1/streams'))
  expect(await streams.json()).toMatchObject({
    streams: [{ name: 'one', push: { address: `rtmp://127.0.0.1:${origin.port}`, last_error: null } }],
  })
  const refusal = { code: 'RTMP_REJECTED', message: expect.stringContaining('the origin refuses') }
  await expect(TestPublisher.publish(edge.url('two?token=bad'))).rejects.toMatchObject(refusal)
  await expect(TestPlayer.play(edge.url('one?token=bad'))).rejects.toMatchObject(refusal)
  const player = await TestPlayer.play(edge.url('one?token=good'))
  await player.has(10)
  const statusOf = async (query: string): Promise<number> => {
    const response = await fetch(edge.httpUrl(`/live/one.flv?${query}`))
    await response.body?.cancel()
    return response.status
  }
  expect(await statusOf('token=bad')).toBe(403)
  const viewer = await HttpPlayer.play(edge.httpUrl('/live/one.flv?token=good'))
  await viewer.has(10)
  await edge.waitForLog({ msg: 'play refused', code: 'TRAVERSE_REFUSED' })

  edge.configure(edgeOptions(redirecting, 'off'))
  await edge.reload()
  expect(await statusOf('token=bad')).toBe(200)
  const sent = await TestPublisher.publish(edge.url('three'))
  sent.goLive()
  await (await TestPlayer.play(origin.url('three'))).has(10)
  const direct = await TestPublisher.publish(origin.url('four'))
  direct.goLive()
  await (await TestPlayer.play(edge.url('four'))).has(10)
  expect(sendsOn.peers.length).toBeGreaterThanOrEqual(2)
  sendsOn.close()
})
