import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { ALL_FORMATS, BufferSource, type EncodedPacket, EncodedPacketSink, Input } from 'mediabunny'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { VodSite } from '../../../src/http/vod/vod-site.ts'
import { audioType, classify, type Packet, type PacketType, videoType } from '../../../src/media/packet.ts'
import { setUp as recorder } from '../../backsource/dvr/set-up.ts'
import { flvFile } from '../../media/vod/flv-files.ts'
import { configOf } from '../../support/config.ts'
import { silentLogger } from '../../support/logger.ts'
import { sharedTempDir } from '../../support/temp-dir.ts'

/*
 * HEVC in FLV, in both ways that there are, made of what FFmpeg has encoded: FFmpeg itself writes neither before version 6.
 * What becomes of it as MP4 is compared, by FFmpeg, with FFmpeg's own file.
 */

const dir = sharedTempDir()
const original = join(dir, 'original.mp4')

function run(program: string, args: string): string {
  return execFileSync(program, [...args.split(' '), ...(program === 'ffmpeg' ? ['-y'] : [])], {
    encoding: 'utf8',
  })
}

/** Pictures some of which need a later one, and sound. */
beforeAll(() => {
  const sources = '-f lavfi -i testsrc2=size=160x90:rate=25 -f lavfi -i sine=sample_rate=44100 -t 1.4'
  const video = '-c:v libx265 -preset ultrafast -tag:v hvc1 -x265-params log-level=none:keyint=10:bframes=2'
  run('ffmpeg', `-nostdin -loglevel error ${sources} ${video} -c:a aac ${original}`)
})

/** How each way of FLV marks HEVC. */
const ways = {
  'codec id 12': {
    header: Buffer.of(0x1c, 0, 0, 0, 0),
    frame: (isKey: boolean, offset: Buffer) => Buffer.concat([Buffer.of(isKey ? 0x1c : 0x2c, 1), offset]),
  },
  'hvc1 (enhanced)': {
    header: Buffer.from('\x90hvc1', 'latin1'),
    frame: (isKey: boolean, offset: Buffer) =>
      Buffer.concat([Buffer.from(`${isKey ? '\x91' : '\xa1'}hvc1`, 'latin1'), offset]),
  },
} as const

/** The original's frames as packets of a stream. */
async function packetsOf(way: (typeof ways)[keyof typeof ways]): Promise<Packet[]> {
  const input = new Input({ formats: ALL_FORMATS, source: new BufferSource(readFileSync(original)) })
  const [video, audio] = [await input.getPrimaryVideoTrack(), await input.getPrimaryAudioTrack()]
  const configs = [await video!.getDecoderConfig(), await audio!.getDecoderConfig()]
  const [hvcc, aac] = configs.map((config) => Buffer.from(config!.description as Uint8Array))
  const pictures: EncodedPacket[] = []
  for await (const picture of new EncodedPacketSink(video!).packets()) pictures.push(picture)
  // Each is decoded when as many have been as come before it, early enough for all.
  const inOrder = pictures.map(({ timestamp }) => Math.round(timestamp * 1000)).toSorted((a, b) => a - b)
  const offsets = pictures.map(({ timestamp }, index) => Math.round(timestamp * 1000) - inOrder[index]!)
  const delay = -Math.min(...offsets)
  const packet = (type: PacketType, timestamp: number, ...body: Uint8Array[]): Packet => {
    const bytes = Buffer.concat(body)
    return { type, timestamp, flags: classify(type, bytes), body: bytes }
  }
  const media = pictures.map(({ type, data }, index) => {
    const offset = Buffer.alloc(3)
    offset.writeUIntBE(offsets[index]! + delay, 0, 3)
    return packet(videoType, inOrder[index]!, way.frame(type === 'key', offset), data)
  })
  for await (const { timestamp, data } of new EncodedPacketSink(audio!).packets()) {
    const ms = Math.max(0, Math.round(timestamp * 1000)) + delay
    media.push(packet(audioType, ms, Buffer.of(0xaf, 1), data))
  }
  return [
    packet(videoType, 0, way.header, hvcc!),
    packet(audioType, 0, Buffer.of(0xaf, 0), aac!),
    ...media.sort((a, b) => a.timestamp - b.timestamp),
  ]
}

interface Probed {
  readonly streams: readonly object[]
  readonly packets: readonly { codec_type: string; pts_time: string; data_hash: string }[]
}

/** What ffprobe says of a file's tracks and of every frame in it; it decodes to the end without a complaint. */
function contentOf(file: string) {
  const entries =
    'stream=codec_name,codec_tag_string,profile,width,height,sample_rate,channels,extradata_hash'
  const show = `-show_entries ${entries}:packet=codec_type,pts_time,data_hash -show_data_hash md5 -of json`
  const { streams, packets } = JSON.parse(run('ffprobe', `-loglevel error ${show} ${file}`)) as Probed
  expect(run('ffmpeg', `-nostdin -loglevel error -xerror -i ${file} -f null -`)).toBe('')
  const of = (type: string) => packets.filter((packet) => packet.codec_type === type)
  const [video, audio] = [of('video'), of('audio')]
  const fromMs = 1000 * Number(video[0]?.pts_time)
  return {
    streams,
    video: video.map(({ data_hash }) => data_hash),
    audio: audio.map(({ data_hash }) => data_hash),
    times: video.map(({ pts_time }) => Math.round(1000 * Number(pts_time) - fromMs)),
  }
}

/** The file over HTTP, as whoever asks for `?format=mp4` gets it. */
async function downloaded(flv: Buffer): Promise<Buffer> {
  writeFileSync(join(dir, 'x.flv'), flv)
  const host = {
    logger: silentLogger,
    config: configOf('http_server { enabled on; vod { enabled on; threads 1; } }'),
    pathOf: (_host: string, path: string) => join(dir, path),
  }
  const site = new VodSite(host)
  const server = createServer((request, response) => {
    site.answer(request, response, () => expect.unreachable('the recording is there'))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => {
    server.close()
    const before = host.config
    host.config = configOf('')
    site.reload(before)
  })
  const { port } = server.address() as AddressInfo
  const response = await fetch(`http://127.0.0.1:${port}/x.flv?format=mp4`)
  expect(response.status).toBe(200)
  return Buffer.from(await response.arrayBuffer())
}

describe.each(Object.entries(ways))('HEVC in FLV as %s', (name, way) => {
  test('is the same as MP4, downloaded and recorded', async () => {
    const packets = await packetsOf(way)
    const expected = contentOf(original)
    expect(expected.video).toHaveLength(35)
    const file = join(dir, `${name.length}.mp4`)
    writeFileSync(file, await downloaded(flvFile(packets)))
    expect(contentOf(file)).toEqual(expected)

    const { dvr, push, path } = recorder('dvr_path DIR/[app]/[stream].mp4;')
    dvr.onRestart()
    push(...packets)
    dvr.onIdle()
    await dvr.close()
    expect(contentOf(path('show.mp4'))).toEqual(expected)
  })
})
