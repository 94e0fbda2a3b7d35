import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { keyFrameFlag, type Packet, sequenceHeaderFlag, videoType } from '../../src/media/packet.ts'
import { tempDir } from '../support/temp-dir.ts'
import { run } from './support/command.ts'
import { probe } from './support/ffmpeg.ts'
import { fromZero } from './support/frames.ts'
import { media } from './support/media.ts'
import {
  bareFrames,
  complaintsAbout,
  muxToFile,
  packetsOfFile,
  withStartCodes,
} from './support/transport-stream.ts'

/** Makes a media file. */
async function encode(file: string, ...args: string[]): Promise<string> {
  const { status, stderr } = await run('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-y', ...args, file])
  if (status !== 0) throw new Error(stderr)
  return file
}

const sine = (rate: number): string[] => [
  '-f',
  'lavfi',
  '-i',
  `sine=frequency=440:sample_rate=${rate}:duration=3`,
]

test('H.264 with B-frames and AAC are the frames of the source, and a decoder finds nothing wrong', async () => {
  const file = join(tempDir(), 'clip.ts')
  muxToFile(await packetsOfFile(media().clip), file)
  expect(await probe(file)).toEqual([
    expect.objectContaining({
      codec_name: 'h264',
      profile: 'Main',
      width: 320,
      height: 180,
      r_frame_rate: '25/1',
    }),
    expect.objectContaining({ codec_name: 'aac', profile: 'LC', sample_rate: '44100', channels: 2 }),
  ])
  expect(await complaintsAbout(file)).toBe('')
  const video = await bareFrames(file, 'h264')
  expect(fromZero(video)).toEqual(fromZero(await bareFrames(media().clip, 'h264')))
  expect(video[0]?.dts).toBe(1000)
  const contents = (frames: readonly { md5: string }[]): string[] => frames.map(({ md5 }) => md5)
  const audio = await bareFrames(file, 'aac')
  const source = await bareFrames(media().clip, 'aac')
  expect(contents(audio)).toEqual(contents(source))
  for (const [index, { pts }] of audio.entries()) {
    // Frames behind the first of a PES packet have times that the demuxer counts on.
    expect(Math.abs(pts - 1000 - source[index]!.pts)).toBeLessThanOrEqual(1)
  }
})

describe('AAC of all sample rates', () => {
  test.each([96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350])(
    '%i Hz',
    async (rate) => {
      const dir = tempDir()
      const source = await encode(
        join(dir, 'a.flv'),
        ...sine(rate),
        '-c:a',
        'aac',
        '-ac',
        '2',
        '-ar',
        String(rate),
      )
      const file = join(dir, 'a.ts')
      muxToFile(await packetsOfFile(source), file)
      expect(await probe(file)).toEqual([
        expect.objectContaining({ codec_name: 'aac', sample_rate: String(rate), channels: 2 }),
      ])
      expect(await complaintsAbout(file)).toBe('')
    },
  )
})

describe('MP3', () => {
  test.each([44100, 22050, 11025])('%i Hz', async (rate) => {
    const dir = tempDir()
    const source = await encode(join(dir, 'a.flv'), ...sine(rate), '-c:a', 'libmp3lame', '-ar', String(rate))
    const file = join(dir, 'a.ts')
    muxToFile(await packetsOfFile(source), file)
    expect(await probe(file)).toEqual([
      expect.objectContaining({ codec_name: 'mp3', sample_rate: String(rate) }),
    ])
    expect(await complaintsAbout(file)).toBe('')
    const contents = async (of: string): Promise<string[]> =>
      (await bareFrames(of, 'mp3')).map(({ md5 }) => md5)
    expect(await contents(file)).toEqual(await contents(source))
  })
})

test('H.264 behind start codes, without a sequence header', async () => {
  const dir = tempDir()
  const packets = (await packetsOfFile(media().clip)).filter(({ type }) => type === videoType)
  const config = packets.find(({ flags }) => flags & sequenceHeaderFlag)!
  const file = join(dir, 'clip.ts')
  muxToFile(
    packets
      .filter((packet) => packet !== config && packet.body[1] === 1)
      .map((packet) => withStartCodes(packet, config)),
    file,
  )
  expect(await complaintsAbout(file)).toBe('')
  expect(fromZero(await bareFrames(file, 'h264'))).toEqual(fromZero(await bareFrames(media().clip, 'h264')))
})

test('HEVC, as both kinds of header announce it', async () => {
  const dir = tempDir()
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=3']
  const x265 = [
    '-c:v',
    'libx265',
    '-preset',
    'ultrafast',
    '-x265-params',
    'log-level=error:keyint=25:bframes=2',
  ]
  const source = await encode(join(dir, 'hevc.mp4'), ...picture, ...x265, '-pix_fmt', 'yuv420p')
  for (const isEnhanced of [false, true]) {
    const file = join(dir, `${isEnhanced}.ts`)
    muxToFile(await hevcPackets(source, isEnhanced), file)
    expect(await probe(file)).toEqual([
      expect.objectContaining({ codec_name: 'hevc', width: 320, height: 180 }),
    ])
    expect(await complaintsAbout(file)).toBe('')
    const [made, wanted] = [
      fromZero(await bareFrames(file, 'hevc')),
      fromZero(await bareFrames(source, 'hevc')),
    ]
    expect(made.map(({ md5, pts }) => [md5, pts])).toEqual(wanted.map(({ md5, pts }) => [md5, pts]))
  }
})

/** The packets of an MP4 file with HEVC, as an encoder would send them. */
async function hevcPackets(file: string, isEnhanced: boolean): Promise<Packet[]> {
  const bytes = readFileSync(file)
  const box = bytes.indexOf('hvcC')
  const config = bytes.subarray(box + 4, box - 4 + bytes.readUInt32BE(box - 4))
  const fourCc = Buffer.from('hvc1')
  const headerTag = isEnhanced ? [Buffer.of(0x90), fourCc] : [Buffer.of(0x1c, 0, 0, 0, 0)]
  const header = Buffer.concat([...headerTag, config])
  const list = [
    '-v',
    'error',
    '-show_entries',
    'packet=pts_time,dts_time,size,pos,flags',
    '-of',
    'json',
    file,
  ]
  const { packets } = JSON.parse((await run('ffprobe', list)).stdout) as {
    packets: { pts_time: string; dts_time: string; size: string; pos: string; flags: string }[]
  }
  const startMs = Number(packets[0]!.dts_time) * 1000
  const frames = packets.map(({ pts_time, dts_time, size, pos, flags }): Packet => {
    const isKey = flags.startsWith('K')
    const composition = Buffer.alloc(3)
    composition.writeIntBE(Math.round((Number(pts_time) - Number(dts_time)) * 1000), 0, 3)
    const tag = isEnhanced
      ? [Buffer.of(isKey ? 0x91 : 0xa1), fourCc, composition]
      : [Buffer.of(isKey ? 0x1c : 0x2c, 1), composition]
    const data = bytes.subarray(Number(pos), Number(pos) + Number(size))
    const timestamp = Math.round(Number(dts_time) * 1000 - startMs)
    const body = Buffer.concat([...tag, data])
    return { type: videoType, flags: isKey ? keyFrameFlag : 0, timestamp, body }
  })
  return [{ type: videoType, flags: sequenceHeaderFlag, timestamp: 0, body: header }, ...frames]
}
