import { describe, expect, test } from 'vitest'
import { TsMuxer } from '../../../../src/media/ts/muxer.ts'
import { readVideoFormat } from '../../../../src/media/ts/video-format.ts'
import { ListSink } from '../../../media/ts/list-sink.ts'
import { avcFrame, avcHeader } from '../../../media/ts/packets.ts'
import { Playing, patience, WebServer } from './web-server.ts'

/** A live stream of short segments, and the server that has it. */
class Live {
  first = 0
  count = 5
  readonly segments: Buffer[] = []
  /** Further lines of the playlist, and what a test wants answered otherwise. */
  more = ''
  readonly answers = new Map<string, number | string>()
  server!: WebServer

  static async start(): Promise<Live> {
    const live = new Live()
    const muxer = new TsMuxer(90)
    muxer.tracks = { video: readVideoFormat(avcHeader()), audio: null }
    for (let number = 0; number < 20; number++) {
      const sink = new ListSink()
      muxer.writeTables(sink, number * 40)
      const picture = avcFrame(true, number * 40, { units: [Buffer.alloc(300, 0x65)] })
      muxer.writeVideo(sink, picture, picture.timestamp)
      live.segments.push(sink.bytes)
    }
    live.server = await WebServer.start(({ url }, response) => {
      const answer = live.answers.get(url!)
      if (typeof answer === 'number') response.writeHead(answer).end()
      else response.end(answer ?? live.#answer(url!))
    })
    return live
  }

  get url(): string {
    return `http://${this.server.base}/live/one.m3u8`
  }

  /** Numbers of the segments that were asked for. */
  get asked(): number[] {
    return this.server.paths.flatMap((path) => (path.endsWith('.ts') ? [numberOf(path)] : []))
  }

  get playlists(): number {
    return this.server.paths.filter((path) => path.endsWith('.m3u8')).length
  }

  #answer(path: string): string | Buffer {
    if (path.endsWith('.ts')) return this.segments[numberOf(path)]!
    const numbers = Array.from({ length: this.count }, (_, index) => this.first + index)
    const lines = numbers.map((number) => `#EXTINF:1.000,\none-${number}.ts\n`)
    const head = `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:${this.first}\n`
    return `${head}${lines.join('')}${this.more}`
  }
}

function numberOf(path: string): number {
  return Number(/(\d+)\.ts$/.exec(path)![1])
}

describe('an HLS player', () => {
  test('begins three segments before the end, loads what is new once, over one connection', async () => {
    const live = await Live.start()
    const playing = new Playing(live.url)
    await expect.poll(() => live.asked, patience).toStrictEqual([2, 3, 4])
    expect(playing.up).toBe(1)
    live.first = 4
    live.count = 3
    await expect.poll(() => live.asked, patience).toStrictEqual([2, 3, 4, 5, 6])
    live.first = 5
    await expect.poll(() => live.asked, patience).toStrictEqual([2, 3, 4, 5, 6, 7])
    await expect.poll(() => playing.statistics.segments, patience).toBe(6)
    expect(live.server.sockets.size).toBe(1)
    expect(playing.codes).toStrictEqual([])
    expect(playing.player.finish()).toBe(true)
    expect(playing.statistics).toMatchObject({ gaps: 0, timestampErrors: 0, framingErrors: 0 })
    // Each answer has been timed.
    const { responses, playlists } = playing.statistics
    expect(responses.count).toBe(6 + playlists)
  })

  test('looks again in half the target duration when there was nothing new', async () => {
    const live = await Live.start()
    const begun = performance.now()
    new Playing(live.url)
    await expect.poll(() => live.playlists, patience).toBe(4)
    // 1,000 ms behind the first, 500 behind the others.
    expect(performance.now() - begun).toBeGreaterThan(1900)
  })

  test('counts a media sequence that jumps over segments as a gap, once', async () => {
    const live = await Live.start()
    const playing = new Playing(live.url)
    await expect.poll(() => live.asked, patience).toStrictEqual([2, 3, 4])
    live.first = 8
    await expect.poll(() => live.asked, patience).toStrictEqual([2, 3, 4, 8, 9, 10, 11, 12])
    await expect.poll(() => playing.statistics.segments, patience).toBe(8)
    expect(playing.statistics.gaps).toBe(1)
    expect(playing.codes).toStrictEqual([])
  })

  test('counts a segment that is not there, and goes on behind it', async () => {
    const live = await Live.start()
    live.answers.set('/live/one-3.ts', 404)
    const playing = new Playing(live.url)
    await expect.poll(() => playing.statistics.segments, patience).toBe(2)
    expect(playing.faults).toHaveLength(1)
    expect(playing.codes).toStrictEqual(['HTTP_404'])
    expect(playing.statistics.gaps).toBe(0)
  })

  test('counts a playlist that begins anew, and begins anew itself', async () => {
    const live = await Live.start()
    live.first = 10
    const playing = new Playing(live.url)
    await expect.poll(() => live.asked, patience).toStrictEqual([12, 13, 14])
    live.first = 0
    await expect.poll(() => live.asked, patience).toStrictEqual([12, 13, 14, 2, 3, 4])
    expect(playing.codes).toStrictEqual(['HLS_PLAYLIST'])
    expect(playing.statistics.timestampErrors).toBe(0)
  })

  test('connects anew when its idle connection was closed', async () => {
    const live = await Live.start()
    const playing = new Playing(live.url)
    await expect.poll(() => playing.statistics.segments, patience).toBe(3)
    for (const socket of live.server.sockets) socket.end()
    live.first = 1
    await expect.poll(() => playing.statistics.segments, patience).toBe(4)
    expect(live.server.sockets.size).toBe(2)
    expect(playing.codes).toStrictEqual([])
  })

  test('takes the first of several variants', async () => {
    const live = await Live.start()
    live.answers.set('/live/one.m3u8', '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n/low/x.m3u8?ctx=1\n')
    const playing = new Playing(live.url)
    await expect.poll(() => playing.statistics.segments, patience).toBe(3)
    expect(live.server.paths.slice(0, 3)).toStrictEqual([
      '/live/one.m3u8',
      '/low/x.m3u8?ctx=1',
      '/low/one-2.ts',
    ])
  })

  test('looks into no segment that is encrypted', async () => {
    const live = await Live.start()
    live.more = '#EXT-X-KEY:METHOD=AES-128,URI="key"\n'
    for (let number = 0; number < 9; number++) live.answers.set(`/live/one-${number}.ts`, 'secret')
    const playing = new Playing(live.url)
    await expect.poll(() => playing.statistics.segments, patience).toBe(3)
    expect(playing.codes).toStrictEqual([])
    expect(playing.player.finish()).toBe(true)
  })

  test.each([
    ['a playlist that is not there', '/live/one.m3u8', 404, 'HTTP_404', 0],
    ['a page instead of a playlist', '/live/one.m3u8', '<html>', 'HLS_PLAYLIST', 1],
    ['a segment that is none', '/live/one-2.ts', '<html>'.repeat(50), 'TS_FORMAT', 1],
  ])('fails at %s', async (_, path, answer, code, framingErrors) => {
    const live = await Live.start()
    live.answers.set(path, answer)
    const playing = new Playing(live.url)
    await expect.poll(() => playing.failures.length, patience).toBe(1)
    expect(playing.codes).toStrictEqual([code])
    expect(playing.statistics.framingErrors).toBe(framingErrors)
  })

  test('plays a recording from its begin, and tells its end', async () => {
    const live = await Live.start()
    live.more = '#EXT-X-ENDLIST\n'
    const playing = new Playing(live.url)
    await expect.poll(() => playing.codes, patience).toStrictEqual(['HTTP_CLOSED'])
    expect(live.asked).toStrictEqual([0, 1, 2, 3, 4])
  })
})
