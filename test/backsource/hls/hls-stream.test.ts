import { createDecipheriv } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { disposeHls } from '../../../src/backsource/hls/dispose.ts'
import { HlsStream } from '../../../src/backsource/hls/hls-stream.ts'
import { ownProcessTag } from '../../../src/base/process-tag.ts'
import { type Playlist, parsePlaylist } from '../../../src/media/hls/playlist.ts'
import { type Packet, videoType } from '../../../src/media/packet.ts'
import { aacFrame, aacHeader, avcFrame, avcHeader, packetOf } from '../../media/ts/packets.ts'
import { parseTs } from '../../media/ts/ts-parser.ts'
import { vhostConfigOf } from '../../support/config.ts'
import { recordingLogger } from '../../support/logger.ts'
import { deadPid, livingPid } from '../../support/processes.ts'
import { tempDir } from '../../support/temp-dir.ts'

const stream = '__defaultVhost__/live/show'

/** Segments of 1 s, a playlist of 4 s, in a directory; the directives given take the place of these. */
function configIn(dir: string, directives = '') {
  const defaults = { hls_path: dir, hls_key_file_path: dir, hls_fragment: 1, hls_window: 4 }
  const lines = Object.entries(defaults)
    .filter(([name]) => !directives.includes(`${name} `))
    .map(([name, value]) => `${name} ${value};`)
  return vhostConfigOf(`hls { enabled on; ${lines.join(' ')} ${directives} }`).hls
}

function setUp(directives = '', dir = tempDir(), isAbsolute = false) {
  const { logger, lines } = recordingLogger()
  const disconnects: [string, string][] = []
  const segments: number[] = []
  const hls = new HlsStream(stream, configIn(dir, directives), true, logger, {
    onSegment: ({ seq }) => segments.push(seq),
    onDisconnect: (code, message) => disconnects.push([code, message]),
    isAbsolute: () => isAbsolute,
  })
  const playlistFile = join(dir, 'live/show.m3u8')
  let time = 0
  return {
    dir,
    hls,
    lines,
    disconnects,
    segments,
    playlistFile,
    push: (...packets: Packet[]): void => {
      for (const packet of packets) hls.onPacket(packet)
    },
    /** Publishes so many seconds, with a key frame in each, and waits until they are written. */
    async publish(seconds: number): Promise<void> {
      hls.onRestart()
      for (const packet of [avcHeader(), aacHeader(), ...frames(time, seconds)]) hls.onPacket(packet)
      time += seconds * 1000
      hls.onIdle()
      await hls.close()
    },
    playlist: (): Playlist => parsePlaylist(readFileSync(playlistFile, 'utf8'))!,
    files: (): string[] => readdirSync(join(dir, 'live')).sort(),
  }
}

function frames(startMs: number, seconds: number): Packet[] {
  return Array.from({ length: seconds * 25 }, (_, index) => index * 40).flatMap((time) => [
    avcFrame(time % 1000 === 0, startMs + time),
    aacFrame(startMs + time + 10),
  ])
}

const uris = ({ segments }: Playlist): string[] => segments.map(({ uri }) => uri)
const gaps = ({ segments }: Playlist): string[] =>
  segments.filter(({ discontinuity }) => discontinuity).map(({ uri }) => uri)

describe('a stream', () => {
  test('becomes segments that can be played, and a playlist that names them', async () => {
    const { dir, hls, publish, playlist, files, segments } = setUp()
    await publish(3)
    expect(files()).toEqual(['show-0.ts', 'show-1.ts', 'show-2.ts', 'show.m3u8'])
    expect(playlist()).toEqual({
      targetDuration: 2,
      mediaSequence: 0,
      discontinuitySequence: 0,
      segments: [0, 1, 2].map((seq) => ({
        uri: `show-${seq}.ts`,
        durationMs: 1000,
        discontinuity: false,
        key: null,
      })),
      expired: [],
    })
    const whole = Buffer.concat([0, 1, 2].map((seq) => readFileSync(join(dir, `live/show-${seq}.ts`))))
    expect(parseTs(whole).pes.filter(({ pid }) => pid === 0x100)).toHaveLength(75)
    expect(segments).toEqual([0, 1, 2])
    expect(hls.status).toEqual({ enabled: true, fragment: 1, sequence: 2, segments: 3, lost: 0 })
  })

  test('that is published again goes on behind a discontinuity', async () => {
    const { publish, playlist } = setUp('hls_window 60;')
    await publish(2)
    await publish(2)
    await publish(1)
    expect(uris(playlist())).toEqual([0, 1, 2, 3, 4].map((seq) => `show-${seq}.ts`))
    expect(gaps(playlist())).toEqual(['show-2.ts', 'show-4.ts'])
  })

  test('goes on where another process left it', async () => {
    const first = setUp('hls_window 60;')
    await first.publish(2)
    const second = setUp('hls_window 60;', first.dir)
    await second.publish(2)
    expect(uris(second.playlist())).toEqual([0, 1, 2, 3].map((seq) => `show-${seq}.ts`))
    expect(gaps(second.playlist())).toEqual(['show-2.ts'])
  })

  test('in memory alone begins with a number of the clock, and goes on from what another process left there', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_795_509_922_000 })
    onTestFinished(() => void vi.useRealTimers())
    const first = setUp('hls_storage ram; hls_window 60;')
    await first.publish(2)
    expect(uris(first.playlist())).toEqual(['show-1795509922.ts', 'show-1795509923.ts'])
    const second = setUp('hls_storage ram; hls_window 60;', first.dir)
    await second.publish(1)
    expect(second.playlist()).toMatchObject({ mediaSequence: 1_795_509_922, segments: { length: 3 } })
    const short = setUp('hls_storage ram; hls_fragment 0.5;')
    await short.publish(1)
    expect(short.playlist().mediaSequence).toBe(2 * 1_795_509_922)
  })

  test('with absolute timestamps has numbers that all servers give it, over restarts too', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 5_000_000_000_000 })
    onTestFinished(() => void vi.useRealTimers())
    const publish = async (hls: HlsStream, fromSeconds: number): Promise<void> => {
      hls.onRestart()
      const timestamp = (5_000_000_000_000 + fromSeconds * 1000) % 2 ** 31
      for (const packet of [avcHeader(), aacHeader(), ...frames(timestamp, 4)]) hls.onPacket(packet)
      hls.onIdle()
      await hls.close()
    }
    const [first, other] = [setUp('', tempDir(), true), setUp('', tempDir(), true)]
    await publish(first.hls, 0)
    expect(first.playlist()).toMatchObject({ mediaSequence: 5_000_000_001 })
    await publish(other.hls, 2)
    expect(uris(other.playlist())).toEqual([3, 4, 5].map((seq) => `show-500000000${seq}.ts`))
    const again = setUp('', first.dir, true)
    await publish(again.hls, 2)
    // The two that are there already are not made anew.
    expect(uris(again.playlist())).toEqual([3, 4, 5, 6].map((seq) => `show-500000000${seq}.ts`))
    expect(again.lines).toMatchObject([
      { code: 'HLS_NUMBERS', sequence: 5_000_000_004, wanted: 5_000_000_003 },
    ])
    const later = setUp('', first.dir, true)
    await publish(later.hls, 20)
    expect(later.playlist()).toMatchObject({ mediaSequence: 5_000_000_021, discontinuitySequence: 1 })
    expect(uris(later.playlist())).toEqual([21, 22, 23].map((seq) => `show-50000000${seq}.ts`))
    expect(gaps(later.playlist())).toEqual(['show-5000000021.ts'])
  })

  test('is in no file under a name that it does not keep', async () => {
    const { hls, push, files, playlistFile } = setUp()
    hls.onRestart()
    push(avcHeader(), aacHeader(), ...frames(0, 2))
    await vi.waitFor(() => expect(existsSync(playlistFile)).toBe(true))
    expect(files().filter((name) => name.endsWith('.ts'))).toEqual(['show-0.ts'])
    await hls.close()
    expect(files()).toEqual(['show-0.ts', 'show-1.ts', 'show.m3u8'])
  })

  test('whose codecs have no place in a segment is told of once', async () => {
    const { hls, push, lines, files, dir } = setUp()
    hls.onRestart()
    push(...Array.from({ length: 100 }, (_, index) => packetOf(8, index * 40, 'b2 aabb')))
    await hls.close()
    expect(lines.filter(({ level }) => level >= 40)).toMatchObject([
      { code: 'HLS_CODEC', reason: 'Speex has no place in a segment' },
    ])
    expect(() => files()).toThrow()
    expect(readdirSync(dir)).toEqual([])
  })
})

describe('cleanup', () => {
  test('deletes segments whose time is over, and no others', async () => {
    const { publish, playlist, files } = setUp()
    await publish(12)
    expect(uris(playlist())).toEqual([8, 9, 10, 11].map((seq) => `show-${seq}.ts`))
    expect(files()).toEqual([...[10, 11, 4, 5, 6, 7, 8, 9].map((seq) => `show-${seq}.ts`), 'show.m3u8'])
  })

  test('deletes what a process before left behind its window', async () => {
    const first = setUp()
    await first.publish(8)
    const second = setUp('', first.dir)
    await second.publish(4)
    expect(second.files().filter((name) => name.endsWith('.ts'))).toHaveLength(8)
  })

  test('off keeps all', async () => {
    const { publish, files } = setUp('hls_cleanup off;')
    await publish(12)
    expect(files()).toHaveLength(13)
  })

  test('is told once where it cannot be done, and keeps nobody from anything', async () => {
    const { dir, publish, playlist, lines } = setUp()
    await publish(6)
    // A directory cannot be deleted as a file.
    for (const seq of [0, 1, 2]) {
      rmSync(join(dir, `live/show-${seq}.ts`))
      mkdirSync(join(dir, `live/show-${seq}.ts`))
    }
    await publish(6)
    expect(uris(playlist()).at(-1)).toBe('show-11.ts')
    expect(lines.filter(({ level }) => level >= 40)).toMatchObject([
      { msg: expect.stringContaining('cannot delete') },
    ])
  })
})

describe('names', () => {
  test('are made of the time and the length too', async () => {
    const { dir, publish, playlist } = setUp(
      'hls_ts_file ts/[app]/[2006]/[stream]-[timestamp]-[duration].ts;',
    )
    await publish(1)
    const [uri] = uris(playlist())
    expect(uri).toMatch(/^\.\.\/ts\/live\/20\d\d\/show-\d{13}-1000\.ts$/)
    expect(existsSync(join(dir, 'live', uri!))).toBe(true)
  })

  test('stand behind a prefix', async () => {
    const { dir, publish, playlist } = setUp('hls_entry_prefix https://cdn.example/x;')
    await publish(12)
    expect(uris(playlist())[0]).toBe('https://cdn.example/x/live/show-8.ts')
    expect(existsSync(join(dir, 'live/show-3.ts'))).toBe(false)
  })

  test('never come twice, whatever the clock says', async () => {
    const { dir, publish, playlist } = setUp(
      'hls_ts_floor on; hls_ts_file [app]/[stream]-[timestamp].ts; hls_window 60;',
    )
    await publish(1)
    const again = setUp('hls_ts_floor on; hls_ts_file [app]/[stream]-[timestamp].ts; hls_window 60;', dir)
    await again.publish(1)
    expect(new Set(uris(playlist())).size).toBe(2)
  })

  test('go on when somebody sets the clock back', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const { hls, playlist } = setUp(
      'hls_ts_floor on; hls_ts_file [app]/[stream]-[timestamp].ts; hls_window 60;',
    )
    hls.onRestart()
    for (const packet of [avcHeader(), aacHeader(), ...frames(0, 6)]) {
      if (packet.timestamp === 3000) vi.setSystemTime(Date.now() - 3_600_000)
      hls.onPacket(packet)
      if (packet.type === videoType && packet.timestamp > 0) vi.advanceTimersByTime(40)
    }
    hls.onIdle()
    await hls.close()
    const periods = uris(playlist()).map((uri) => Number(/(\d+)\.ts$/.exec(uri)?.[1]))
    expect(periods.length).toBeGreaterThanOrEqual(5)
    expect(periods.map((period) => period - periods[0]!)).toEqual(periods.map((_, index) => index))
  })

  test('that are all the same lose every segment but the first, with a reason', async () => {
    const { publish, lines, playlist } = setUp('hls_ts_file [app]/[stream].ts;')
    await publish(3)
    expect(uris(playlist())).toEqual(['show.ts'])
    expect(lines.filter(({ level }) => level >= 40)).toMatchObject([{ code: 'PATH_TEMPLATE' }])
  })
})

describe('a disk error', () => {
  /** In the place of the directory there is a file. */
  function blocked(directives = '') {
    const made = setUp(directives)
    const place = join(made.dir, 'live')
    writeFileSync(place, '')
    return { ...made, repair: () => rmSync(place) }
  }

  const problems = (lines: readonly { level: number }[]): unknown[] =>
    lines.filter(({ level }) => level >= 40)

  test('is told once, the stream goes on, and so does HLS when the disk is well', async () => {
    const { hls, lines, publish, playlist, repair } = blocked()
    await publish(3)
    expect(problems(lines)).toMatchObject([
      {
        code: 'HLS_WRITE',
        reason: expect.stringContaining('ENOTDIR'),
        msg: expect.stringContaining('the next one is tried'),
      },
    ])
    expect(hls.status).toMatchObject({ lost: 3, sequence: -1 })
    repair()
    await publish(2)
    expect(uris(playlist())).toEqual(['show-0.ts', 'show-1.ts'])
    expect(problems(lines)).toHaveLength(1)
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'hls: segments are written again', lost: 3 }))
  })

  test('leaves a discontinuity where a segment is missing', async () => {
    const { hls, dir, push, playlist } = setUp()
    hls.onRestart()
    push(avcHeader(), aacHeader(), ...frames(0, 1), ...frames(1000, 1).slice(0, 1))
    await vi.waitFor(() => expect(hls.status.sequence).toBe(0))
    rmSync(join(dir, 'live'), { recursive: true })
    writeFileSync(join(dir, 'live'), '')
    push(...frames(1000, 2).slice(1, 51))
    await vi.waitFor(() => expect(hls.status.lost).toBe(1))
    rmSync(join(dir, 'live'))
    push(...frames(1000, 2).slice(51))
    await hls.close()
    expect(gaps(playlist())).toEqual(['show-1.ts'])
    expect(uris(playlist())).toEqual(['show-0.ts', 'show-1.ts'])
  })

  test('of the playlist alone leaves no segment behind that nobody deletes', async () => {
    const { publish, files, playlistFile } = setUp()
    await publish(8)
    const inTheWay = `${playlistFile}.${ownProcessTag()}.tmp`
    mkdirSync(inTheWay)
    await publish(3)
    rmSync(inTheWay, { recursive: true })
    await publish(1)
    const kept = [4, 5, 6, 7, 8, 9, 10, 11].map((seq) => `show-${seq}.ts`)
    expect(files()).toEqual([...kept, 'show.m3u8'].sort())
  })

  test('with hls_on_error ignore stops HLS until the stream is published again', async () => {
    const { hls, lines, publish, playlist, repair } = blocked('hls_on_error ignore;')
    hls.onRestart()
    for (const packet of [avcHeader(), aacHeader(), ...frames(0, 2)]) hls.onPacket(packet)
    await vi.waitFor(() => expect(hls.status.lost).toBeGreaterThan(0))
    repair()
    for (const packet of frames(2000, 5)) hls.onPacket(packet)
    await hls.close()
    expect(hls.status.sequence).toBe(-1)
    expect(problems(lines)).toMatchObject([
      { msg: expect.stringContaining('until the stream is published again') },
    ])
    await publish(2)
    expect(uris(playlist())).toEqual(['show-0.ts', 'show-1.ts'])
  })

  test('with hls_on_error disconnect has the publisher closed', async () => {
    const { disconnects, publish } = blocked('hls_on_error disconnect;')
    await publish(3)
    expect(disconnects).toEqual([['HLS_WRITE', expect.stringContaining('ENOTDIR')]])
  })

  test.skipIf(process.platform !== 'linux')('in the middle of a segment: a disk that is full', async () => {
    const { lines, publish, playlist, playlistFile, files } = setUp()
    await publish(1)
    symlinkSync('/dev/full', `${playlistFile}.${ownProcessTag()}.ts.tmp`)
    await publish(1)
    await publish(1)
    expect(problems(lines)).toMatchObject([{ code: 'HLS_WRITE', reason: expect.stringContaining('ENOSPC') }])
    expect(files()).toEqual(['show-0.ts', 'show-1.ts', 'show.m3u8'])
    expect(gaps(playlist())).toEqual(['show-1.ts'])
  })
})

describe('keys', () => {
  /** The segments of a playlist, decrypted. */
  function decrypted(dir: string, { segments }: Playlist): Buffer[] {
    return segments.map(({ uri, key }) => {
      const bytes = readFileSync(join(dir, 'live', key!.uri))
      const decipher = createDecipheriv('aes-128-cbc', bytes, Buffer.from(key!.iv, 'hex'))
      return Buffer.concat([decipher.update(readFileSync(join(dir, 'live', uri))), decipher.final()])
    })
  }

  test('encrypt segments, each with a vector of its own, and change', async () => {
    const { dir, publish, playlist, files } = setUp('hls_keys on; hls_fragments_per_key 2; hls_window 60;')
    await publish(5)
    const { segments } = playlist()
    expect(segments.map(({ key }) => key?.uri)).toEqual([
      'show-0.key',
      'show-0.key',
      'show-2.key',
      'show-2.key',
      'show-4.key',
    ])
    expect(new Set(segments.map(({ key }) => key?.iv)).size).toBe(5)
    expect(files().filter((name) => name.endsWith('.key'))).toEqual([
      'show-0.key',
      'show-2.key',
      'show-4.key',
    ])
    const { pes } = parseTs(Buffer.concat(decrypted(dir, playlist())))
    expect(pes.filter(({ pid }) => pid === 0x100)).toHaveLength(125)
  })

  test('are deleted with the last segment that they are for', async () => {
    const { publish, playlist, files } = setUp('hls_keys on; hls_fragments_per_key 3;')
    await publish(12)
    const { segments, expired } = playlist()
    const inUse = new Set([...segments.map(({ key }) => key?.uri), ...expired.map(({ keyUri }) => keyUri)])
    expect(files().filter((name) => name.endsWith('.key'))).toEqual([...inUse].sort())
    expect(inUse.has('show-0.key')).toBe(false)
  })
})

describe('dispose', () => {
  test('deletes everything, and the numbers go on', async () => {
    const { hls, publish, playlist, files } = setUp('hls_keys on;')
    await publish(10)
    hls.dispose()
    await hls.close()
    expect(files()).toEqual([])
    await publish(1)
    expect(playlist()).toMatchObject({
      mediaSequence: 10,
      segments: [{ uri: 'show-10.ts', discontinuity: true }],
    })
  })

  test('of a stream that no process holds', async () => {
    const { dir, publish, files } = setUp('hls_keys on;')
    await publish(10)
    const { logger, lines } = recordingLogger()
    await disposeHls(stream, configIn(dir, 'hls_keys on;'), true, logger)
    expect(files()).toEqual([])
    expect(lines).toMatchObject([{ msg: 'hls: deleted', stream: 'live/show' }])
  })

  test('of a stream that was never written does nothing', async () => {
    const { logger, lines } = recordingLogger()
    await disposeHls(stream, configIn(tempDir()), true, logger)
    expect(lines).toMatchObject([{ level: 30 }])
  })
})

describe('what a killed process left', () => {
  /** As a process leaves it that is killed within a segment. */
  async function leftBehind(tag: number | string, directives = '') {
    const first = setUp(directives)
    await first.publish(2)
    const donor = setUp(directives)
    await donor.publish(1)
    const segment = readFileSync(join(donor.dir, 'live/show-0.ts'))
    const left = join(first.dir, `live/show.m3u8.${tag}.ts.tmp`)
    writeFileSync(left, segment.subarray(0, segment.length - 100))
    return { ...first, left }
  }

  test('becomes a segment, as far as it is whole', async () => {
    const { dir, left } = await leftBehind(await deadPid())
    const { publish, playlist, lines } = setUp('', dir)
    await publish(1)
    expect(uris(playlist())).toEqual([0, 1, 2, 3].map((seq) => `show-${seq}.ts`))
    expect(gaps(playlist())).toEqual(['show-2.ts', 'show-3.ts'])
    expect(existsSync(left)).toBe(false)
    const { pes } = parseTs(readFileSync(join(dir, 'live/show-2.ts')))
    expect(pes.length).toBeGreaterThan(20)
    expect(lines).toContainEqual(expect.objectContaining({ msg: expect.stringContaining('killed process') }))
  })

  test.runIf(process.platform === 'linux')(
    'becomes one too where a process has its pid by now: in a container all are the same after each start',
    async () => {
      for (const pid of [process.pid, await livingPid()]) {
        const { dir, left } = await leftBehind(`${pid}-1`)
        const { publish, playlist } = setUp('', dir)
        await publish(1)
        expect(gaps(playlist())).toEqual(['show-2.ts', 'show-3.ts'])
        expect(existsSync(left)).toBe(false)
      }
    },
  )

  test('is deleted where nothing can be made of it', async () => {
    const { dir, left } = await leftBehind(await deadPid())
    writeFileSync(left, 'encrypted')
    const playlistLeft = left.replace('.ts.tmp', '.tmp')
    writeFileSync(playlistLeft, '#EXTM3U')
    const { publish, playlist } = setUp('', dir)
    await publish(1)
    expect(uris(playlist())).toEqual([0, 1, 2].map((seq) => `show-${seq}.ts`))
    expect([existsSync(left), existsSync(playlistLeft)]).toEqual([false, false])
  })

  test('is left alone while the process lives', async () => {
    const { dir, left } = await leftBehind(await livingPid())
    await setUp('', dir).publish(1)
    expect(existsSync(left)).toBe(true)
  })

  test('a playlist that is broken is written anew', async () => {
    const { dir, publish, playlist, lines, playlistFile } = setUp()
    mkdirSync(join(dir, 'live'))
    writeFileSync(playlistFile, '#EXTM3U\n#EXT-X-MEDIA')
    await publish(1)
    expect(uris(playlist())).toEqual(['show-0.ts'])
    expect(lines.filter(({ level }) => level >= 40)).toHaveLength(1)
  })
})

describe('a changed configuration', () => {
  test('holds from now on where it can', async () => {
    const { hls, dir, publish, playlist } = setUp()
    await publish(4)
    expect(hls.reconfigure({ hls: configIn(dir, 'hls_fragment 2; hls_window 60;') })).toBe(true)
    await publish(4)
    expect(playlist().segments.map(({ durationMs }) => durationMs)).toEqual([
      1000, 1000, 1000, 1000, 2000, 2000,
    ])
    expect(hls.status.fragment).toBe(2)
  })

  test.each(['hls_path /elsewhere;', 'hls_ts_file x-[seq].ts;', 'hls_keys on;', 'hls_vcodec vn;'])(
    '%s needs a new beginning',
    (directive) => {
      const { hls, dir } = setUp()
      expect(hls.reconfigure({ hls: configIn(dir, directive) })).toBe(false)
    },
  )
})
