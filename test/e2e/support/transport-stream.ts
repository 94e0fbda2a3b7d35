import { writeFileSync } from 'node:fs'
import { readFlvFile } from '../../../src/client/flv-file.ts'
import {
  audioType,
  keyFrameFlag,
  type Packet,
  sequenceHeaderFlag,
  videoType,
} from '../../../src/media/packet.ts'
import { readAudioFormat } from '../../../src/media/ts/audio-format.ts'
import { TsMuxer } from '../../../src/media/ts/muxer.ts'
import { readVideoFormat } from '../../../src/media/ts/video-format.ts'
import { ListSink } from '../../media/ts/list-sink.ts'
import { run } from './command.ts'
import { type Frame, parseTrack } from './frames.ts'

const quiet = ['-hide_banner', '-nostdin', '-loglevel', 'error']

/** Makes a transport stream of packets and writes it to a file. */
export function muxToFile(packets: readonly Packet[], file: string): void {
  const muxer = new TsMuxer(90)
  const video = packets.find(({ type }) => type === videoType)
  const audio = packets.find(({ type, flags }) => type === audioType && (flags & sequenceHeaderFlag) !== 0)
  const sound = audio ?? packets.find(({ type }) => type === audioType)
  muxer.tracks = {
    video: video === undefined ? null : readVideoFormat(video),
    audio: sound === undefined ? null : readAudioFormat(sound),
  }
  const sink = new ListSink()
  for (const packet of packets) {
    if (packet.type === videoType) muxer.writeVideo(sink, packet, packet.timestamp)
    else if (packet.type === audioType) muxer.writeAudio(sink, packet, packet.timestamp)
  }
  muxer.flush(sink)
  writeFileSync(file, sink.bytes)
}

export async function packetsOfFile(file: string): Promise<Packet[]> {
  const packets: Packet[] = []
  for await (const packet of readFlvFile(file)) packets.push(packet)
  return packets
}

/** Decodes a file to the end. @returns what ffmpeg complains of */
export async function complaintsAbout(file: string, options: readonly string[] = []): Promise<string> {
  const { stderr } = await run('ffmpeg', [...quiet, ...options, '-i', file, '-f', 'null', '-'])
  return stderr
}

/**
 * The frames of one track without what a container adds: access unit delimiters and parameter sets, ADTS headers. What
 * is in two containers can be compared so. Times are in milliseconds.
 */
export async function bareFrames(
  input: string,
  track: 'h264' | 'hevc' | 'aac' | 'mp3',
  options: readonly string[] = [],
): Promise<Frame[]> {
  const isVideo = track === 'h264' || track === 'hevc'
  const isStartCoded = /\.(ts|m3u8)$/.test(input)
  const toStartCodes = isStartCoded ? '' : `${track}_mp4toannexb,`
  const sets = track === 'h264' ? '7-9' : '32-35'
  const filters: Record<typeof track, string[]> = {
    h264: ['-bsf:v', `${toStartCodes}filter_units=remove_types=${sets}`],
    hevc: ['-bsf:v', `${toStartCodes}filter_units=remove_types=${sets}`],
    aac: isStartCoded ? ['-bsf:a', 'aac_adtstoasc'] : [],
    mp3: [],
  }
  const output = ['-map', isVideo ? '0:v' : '0:a', '-c', 'copy', ...filters[track], '-f', 'framemd5', '-']
  const { status, stdout, stderr } = await run('ffmpeg', [
    ...quiet,
    '-copyts',
    ...options,
    '-i',
    input,
    ...output,
  ])
  if (status !== 0 || stderr !== '') throw new Error(`ffmpeg about ${input}: ${stderr}`)
  const { description, frames } = parseTrack(stdout)
  const [, numerator, denominator] = /#tb 0: (\d+)\/(\d+)/.exec(description.join('\n')) ?? []
  const toMs = (time: number): number => Math.round((time * 1000 * Number(numerator)) / Number(denominator))
  return frames.map((frame) => ({ ...frame, dts: toMs(frame.dts), pts: toMs(frame.pts) }))
}

/** A frame as some encoders send it: each unit behind a start code, a key frame with the parameter sets in front. */
export function withStartCodes(packet: Packet, config: Packet): Packet {
  const startCode = Buffer.of(0, 0, 0, 1)
  const record = config.body.subarray(5)
  const spsLength = record.readUInt16BE(6)
  const ppsAt = 8 + spsLength + 1
  const sets = [
    record.subarray(8, 8 + spsLength),
    record.subarray(ppsAt + 2, ppsAt + 2 + record.readUInt16BE(ppsAt)),
  ]
  const units = packet.flags & keyFrameFlag ? sets : []
  for (let at = 5; at < packet.body.length; at += 4 + packet.body.readUInt32BE(at)) {
    units.push(packet.body.subarray(at + 4, at + 4 + packet.body.readUInt32BE(at)))
  }
  const parts = units.flatMap((unit) => [startCode, unit])
  return { ...packet, body: Buffer.concat([packet.body.subarray(0, 5), ...parts]) }
}
