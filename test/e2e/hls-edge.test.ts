import { once } from 'node:events'
import { request as ask, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { readFlvFile } from '../../src/client/flv-file.ts'
import { type Playlist, parsePlaylist } from '../../src/media/hls/playlist.ts'
import { isHeader, type Packet } from '../../src/media/packet.ts'
import { WatchedPage } from './support/browser.ts'
import { run } from './support/command.ts'
import { Server } from './support/server.ts'
import { startBrowser } from './support/start-browser.ts'
import { TestPublisher } from './support/test-publisher.ts'
import { until } from './support/until.ts'

let browser: Browser
beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(() => browser.close())

const tickMs = 20

/** An encoder that sends to several servers, with the time of day as timestamps, in real time. */
class Encoder {
  readonly #packets: readonly Packet[]
  readonly #startMs = Date.now()
  readonly #publishers: TestPublisher[] = []
  readonly #timer = setInterval(() => this.#sendDue(), tickMs)
  #sent = 0

  /** A minute of a small picture, with a key frame each second. */
  static async start(dir: string): Promise<Encoder> {
    const file = join(dir, 'minute.flv')
    const source =
      '-f lavfi -i testsrc2=size=128x72:rate=25 -f lavfi -i sine=frequency=440:sample_rate=44100 -t 60'
    const codecs = '-c:v libx264 -preset ultrafast -pix_fmt yuv420p -sc_threshold 0 -g 25 -c:a aac -b:a 64k'
    const { status, stderr } = await run('ffmpeg', `-v error -y ${source} ${codecs} ${file}`.split(' '))
    if (status !== 0) throw new Error(stderr)
    const packets: Packet[] = []
    for await (const packet of readFlvFile(file)) packets.push(packet)
    return new Encoder(packets)
  }

  private constructor(packets: readonly Packet[]) {
    this.#packets = packets
    onTestFinished(() => clearInterval(this.#timer))
  }

  async publish(url: string): Promise<void> {
    const publisher = await TestPublisher.publish(url)
    // What belongs before the next frame.
    for (const packet of this.#packets.filter(isHeader)) publisher.client.send(this.#timed(packet))
    this.#publishers.push(publisher)
  }

  #sendDue(): void {
    const nowMs = Date.now() - this.#startMs
    for (; (this.#packets[this.#sent]?.timestamp ?? Number.POSITIVE_INFINITY) <= nowMs; this.#sent += 1) {
      const packet = this.#timed(this.#packets[this.#sent]!)
      for (const { client } of this.#publishers) if (!client.closed) client.send(packet)
    }
  }

  #timed(packet: Packet): Packet {
    return { ...packet, timestamp: (this.#startMs + packet.timestamp) % 2 ** 31 }
  }
}

/** A proxy that passes requests on to one server, and then to another. */
class Switch {
  target: Server
  readonly #server = createServer((request, response) => {
    const { method, url = '/', headers } = request
    const passed = ask(this.target.httpUrl(url), { method, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    passed.on('error', () => response.writeHead(502).end())
    passed.end()
  })

  constructor(target: Server) {
    this.target = target
    onTestFinished(() => {
      this.#server.closeAllConnections()
      this.#server.close()
    })
  }

  async listen(): Promise<string> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }
}

const hls = 'hls { enabled on; hls_path ./html; hls_fragment 1; hls_window 10; }'

async function playlistOf(server: Server, path = '/live/show.m3u8'): Promise<Playlist | null> {
  const answer = await fetch(server.httpUrl(path))
  return answer.ok ? parsePlaylist(await answer.text()) : null
}

/** A segment without its continuity counters, which tell how much the server has sent before. */
async function segmentOf(server: Server, uri: string): Promise<string> {
  const bytes = Buffer.from(await (await fetch(server.httpUrl(`/live/${uri}`))).bytes())
  for (let at = 3; at < bytes.length; at += 188) bytes[at]! &= 0xf0
  return bytes.toString('base64')
}

/** The parts that a page has played, in seconds. */
async function played({ page }: WatchedPage): Promise<{ parts: number; seconds: number }> {
  return page.locator('video').evaluate((element) => {
    const { played } = element as unknown as { played: { length: number; end(index: number): number } }
    return { parts: played.length, seconds: played.length === 0 ? 0 : played.end(played.length - 1) }
  })
}

async function playsOn(watched: WatchedPage, what: string, seconds: number): Promise<void> {
  const { seconds: before } = await played(watched)
  await until(`${seconds} s to play ${what}`, async () => (await played(watched)).seconds >= before + seconds)
}

test('two origins of one encoder stand in for each other, and an edge that has both outlives one', async () => {
  const origin = { httpWorkers: 1, vhost: `play { atc on; } ${hls}` }
  const [a, b] = await Promise.all([Server.prepare(origin), Server.prepare(origin)])
  const edge = await Server.prepare({
    httpWorkers: 1,
    vhost: `cluster { hls_origin ${a.httpUrl('')} ${b.httpUrl('')}; }`,
    more: `vhost pulled.test {
      cluster { mode remote; origin 127.0.0.1:${a.port} 127.0.0.1:${b.port}; } play { atc on; } ${hls}
    }`,
  })
  // One after the other: each has its time to start, on a busy machine too.
  for (const server of [a, b, edge]) await server.start()
  const encoder = await Encoder.start(a.dir)
  await encoder.publish(a.url('show'))
  await until('a playlist', async () => (await playlistOf(a)) !== null)
  await encoder.publish(b.url('show'))

  // Who asks an edge without hls_origin for a playlist has the stream pulled.
  const pulled = playlistOf(edge, '/live/show.m3u8?vhost=pulled.test')
  expect(await playlistOf(edge, '/live/none.m3u8')).toBeNull()

  const later = await until('the other playlist', async () => {
    const playlist = await playlistOf(b)
    return (playlist?.segments.length ?? 0) >= 2 && playlist
  })
  const earlier = await playlistOf(a)
  const skipped = later.mediaSequence - earlier!.mediaSequence
  expect(skipped).toBeGreaterThan(0)
  const common = later.segments.slice(0, 2)
  expect(earlier!.segments.slice(skipped, skipped + 2)).toEqual(common)
  for (const { uri } of common) expect(await segmentOf(a, uri)).toBe(await segmentOf(b, uri))
  // What it cuts then are the same segments again.
  const { segments, mediaSequence } = (await pulled)!
  const origins = (await playlistOf(a))!
  expect(segments[0]).toEqual(origins.segments[mediaSequence - origins.mediaSequence])
  expect(await segmentOf(edge, `${segments[0]!.uri}?vhost=pulled.test`)).toBe(
    await segmentOf(a, segments[0]!.uri),
  )

  const way = new Switch(a)
  const watched = await WatchedPage.open(browser, `${await way.listen()}/players/?url=/live/show.m3u8`)
  await playsOn(watched, 'of the first origin', 1)
  way.target = b
  await playsOn(watched, 'of the second origin', 2)
  way.target = edge
  await playsOn(watched, 'over the edge', 1)
  for (const { pid } of a.processes()) process.kill(pid, 'SIGKILL')
  await playsOn(watched, 'after the first origin has died', 2)
  expect((await played(watched)).parts).toBe(1)
  expect(watched.errors).toEqual([])
}, 90_000)
