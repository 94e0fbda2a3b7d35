import { expect, onTestFinished, test } from 'vitest'
import { RtmpClient } from '../../src/client/rtmp-client.ts'
import { FfmpegPlayer, framesOfFile, publishFile } from './support/ffmpeg.ts'
import { fromZero } from './support/frames.ts'
import { media } from './support/media.ts'
import { startNginxRtmp } from './support/nginx-rtmp.ts'
import { gapsIn } from './support/played.ts'
import { backSourcesOf, Server, startServer } from './support/server.ts'
import { frames, headers } from './support/synthetic.ts'
import { take } from './support/take.ts'
import { TcpProxy } from './support/tcp-proxy.ts'
import { TestPlayer } from './support/test-player.ts'
import { TestPublisher } from './support/test-publisher.ts'
import { until } from './support/until.ts'

/** A player that only counts: two hundred of them cost a test little. */
class Spectator {
  readonly client: RtmpClient
  readonly #counts: { frames: number; backwards: number }

  static async play(url: string): Promise<Spectator> {
    const counts = { frames: 0, backwards: 0, last: 0 }
    const client = await RtmpClient.connect(url, {
      onPacket: ({ timestamp }) => {
        counts.frames += 1
        if (timestamp < counts.last) counts.backwards += 1
        counts.last = timestamp
      },
    })
    onTestFinished(() => client.close())
    await client.play()
    return new Spectator(client, counts)
  }

  static crowd(count: number, url: string): Promise<Spectator[]> {
    return Promise.all(Array.from({ length: count }, () => Spectator.play(url)))
  }

  private constructor(client: RtmpClient, counts: { frames: number; backwards: number }) {
    this.client = client
    this.#counts = counts
  }

  get frames(): number {
    return this.#counts.frames
  }

  /** How often time went back. */
  get backwards(): number {
    return this.#counts.backwards
  }
}

/** What the log of an edge says about where a stream comes from, the latest last. */
function upstreamsIn(edge: Server, stream: string): string[] {
  const isIt = ({ msg, stream: name }: { msg: string; stream?: unknown }): boolean =>
    msg === 'pull: the stream comes from an upstream server' && name === `live/${stream}`
  return edge
    .logs()
    .filter(isIt)
    .map(({ upstream }) => String(upstream))
}

test('a stream is the same through all tiers, whatever they speak; a crowd for an absent one costs one attempt', async () => {
  const nginx = await startNginxRtmp()
  // Whoever waits for the stream shall do so for as long as a busy machine needs.
  const patient = 'pull_timeout 60; origin_timeout 60;'
  const origin = await Server.prepare({
    httpWorkers: 1,
    vhost: 'http_remux { enabled on; hstrs_timeout 60; }',
  })
  const edge = await Server.prepare({
    ...{ workers: 2, httpWorkers: 1 },
    vhost: `http_remux { enabled on; hstrs_timeout 60; }
      cluster { mode remote; origin 127.0.0.1:${origin.port}; ${patient} }`,
    more: `vhost nginx.example {
        cluster { mode remote; origin 127.0.0.1:${nginx.port}; vhost 127.0.0.1; ${patient} }
      }
      vhost nobody.example {
        cluster { mode remote; origin 127.0.0.1:${origin.port}; pull_timeout 1; absent_cache 60; }
      }`,
  })
  const overHttp = await Server.prepare({
    vhost: `cluster { mode remote; origin http://127.0.0.1:${origin.httpPort}; ${patient} }`,
  })
  const far = await Server.prepare({
    vhost: `mode remote; origin 127.0.0.1:${edge.port}; cluster { ${patient} }`,
  })
  for (const server of [origin, edge, overHttp, far]) await server.start()

  const urls = [edge.url('one'), edge.httpUrl('/live/one.flv'), overHttp.url('one'), far.url('one')]
  urls.push(`${edge.url('one')}?vhost=nginx.example`)
  const players = urls.map((url) => new FfmpegPlayer(url))
  // One of them is a pull.
  for (const server of [edge, overHttp, far]) await server.waitForLog({ msg: 'play', stream: 'live/one' })
  await origin.waitForLog(({ msg, stream }) => msg === 'play' && stream === 'live/one')
  await origin.waitForLog(({ format, stream }) => format === 'http-flv' && stream === 'live/one')
  await edge.waitForLog({
    msg: 'pull: waits for the stream at an upstream server',
    upstream: `rtmp://127.0.0.1:${nginx.port}`,
  })
  publishFile(media().clip, origin.url('one'), { rate: 5 })
  publishFile(media().clip, `rtmp://127.0.0.1:${nginx.port}/live/one`, { rate: 5 })
  const { video, audio } = await framesOfFile(media().clip)
  for (const player of players) {
    const played = await player.has(video.frames.length, audio.frames.length)
    expect(fromZero(played.video.frames)).toEqual(fromZero(video.frames))
    expect(fromZero(played.audio.frames)).toEqual(fromZero(audio.frames))
  }
  // Each tier can be followed into the one above it.
  const pull = await edge.waitForLog({
    msg: 'pull: the stream comes from an upstream server',
    upstream: `rtmp://127.0.0.1:${origin.port}`,
  })
  const connect = await origin.waitForLog(({ msg, edge: who }) => msg === 'connect' && who !== undefined)
  expect(connect).toMatchObject({ cid: pull.upstreamId, edge: { connectionId: pull.sid } })
  const answer = (await (await fetch(edge.httpUrl('/api/v1/streams'))).json()) as { streams: object[] }
  expect(answer.streams).toContainEqual(
    expect.objectContaining({
      upstream: {
        address: `rtmp://127.0.0.1:${origin.port}`,
        connection_id: pull.upstreamId,
        server_id: pull.upstreamServer,
        pid: pull.upstreamPid,
      },
    }),
  )

  const crowd = await Spectator.crowd(200, `${edge.url('three')}?vhost=nobody.example`)
  await edge.waitForLog({ msg: 'pull: the stream is not there', stream: 'nobody.example/live/three' })
  const more = await Spectator.crowd(10, `${edge.url('three')}?vhost=nobody.example`)
  for (const { client } of [...crowd, ...more]) client.close()
  const opened = edge.logs().filter(({ msg, stream }) => {
    return msg === 'source: opened' && stream === 'nobody.example/live/three'
  })
  expect(opened.length).toBe(1)
  await edge.waitForStatus('no process for what is not there', (status) => {
    return backSourcesOf(status, 'three').length === 0
  })
})

test('players on edges notice neither that an origin’s network is cut nor that one is killed', async () => {
  const [a, b] = [await startServer(), await startServer()]
  const cut = await TcpProxy.start(a.port)
  const timeouts = 'origin_silence 1; origin_timeout 1; origin_retry 0.2; pull_linger 0;'
  const edge = await Server.prepare({
    workers: 2,
    vhost: `cluster { mode remote; origin 127.0.0.1:${cut.port} 127.0.0.1:${b.port}; ${timeouts} }`,
  })
  const far = await Server.prepare({ vhost: `cluster { mode remote; origin 127.0.0.1:${edge.port}; }` })
  for (const server of [edge, far]) await server.start()

  // Both origins have the stream of one encoder.
  const publishers = [await TestPublisher.publish(a.url('one')), await TestPublisher.publish(b.url('one'))]
  const source = frames()
  const feed = (): void => {
    const packets = take(source, 2)
    for (const publisher of publishers) if (!publisher.client.closed) void publisher.send(packets)
  }
  for (const publisher of publishers) await publisher.send(headers())
  const timer = setInterval(feed, 40)
  onTestFinished(() => clearInterval(timer))

  const player = await TestPlayer.play(edge.url('one'))
  await player.has(20)
  expect(upstreamsIn(edge, 'one')).toEqual([`rtmp://127.0.0.1:${cut.port}`])
  const crowds = await Promise.all([
    Spectator.crowd(100, edge.url('one')),
    Spectator.crowd(100, far.url('one')),
  ])
  const crowd = crowds.flat()
  const allGoOn = async (what: string): Promise<void> => {
    const before = crowd.map(({ frames: count }) => count)
    await until(`${what}: all players to go on`, () =>
      crowd.every(({ frames: count }, index) => count > before[index]! + 40),
    )
    expect(crowd.filter(({ client }) => client.closed)).toEqual([])
    expect(crowd.filter(({ backwards }) => backwards > 0)).toEqual([])
  }
  await allGoOn('before')

  cut.freeze()
  await until('the next origin', () => upstreamsIn(edge, 'one').length === 2)
  await edge.waitForLog({
    msg: 'pull: the stream does not come from there, the next server is tried',
    code: 'UPSTREAM_SILENT',
  })
  await allGoOn('a cut network')
  cut.thaw()

  const beforeKill = player.packets.length
  for (const { pid } of b.processes()) process.kill(pid, 'SIGKILL')
  await until('the first origin again', () => upstreamsIn(edge, 'one').length === 3)
  await allGoOn('a killed origin')
  // A cached GOP bridges the time of the switch: nothing is missing, and no more than a GOP comes again.
  const switches = gapsIn(player.packets.slice(beforeKill), publishers[0]!.sent)
  expect(switches.length).toBeLessThanOrEqual(1)
  for (const [last, next] of switches) {
    expect(next).toBeLessThanOrEqual(last + 1)
    expect(next).toBeGreaterThan(last - 2 * 25)
  }
  expect(
    far.logs().filter(({ msg }) => msg === 'pull: the stream comes from an upstream server').length,
  ).toBe(1)
})
