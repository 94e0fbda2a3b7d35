import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeTag, flvHeader } from '../../../src/media/flv/writer.ts'
import { audioType, type PacketType, videoType } from '../../../src/media/packet.ts'
import { avcSamples } from '../../media/avc-samples.ts'
import { hex } from '../../rtmp/bytes.ts'
import { tempDir } from '../../support/temp-dir.ts'

export type Tag = readonly [type: PacketType, timestamp: number, body: Buffer]

export const avcHeader = hex(`17 00 000000 ${avcSamples[0]!.config}`)
export const aacHeader = hex('af 00 1210')
export const keyFrame = hex('17 01 000000 00000003 65aabb')
export const interFrame = hex('27 01 000000 00000002 41cc')
export const sound = hex('af 01 2100')
/** What a muxer writes last. */
export const endOfSequence = hex('17 02 000000')

/** 400 ms of 10 pictures, the first and the sixth of them key frames, and as many sounds. */
export const sampleTags: readonly Tag[] = [
  [videoType, 0, avcHeader],
  [audioType, 0, aacHeader],
  ...Array.from({ length: 10 }, (_, i): Tag[] => [
    [videoType, 1000 + 40 * i, i % 5 === 0 ? keyFrame : interFrame],
    [audioType, 1010 + 40 * i, sound],
  ]).flat(),
  [videoType, 1400, endOfSequence],
]

/** Writes an FLV file that is removed with the test. @returns its path */
export function writeClip(tags: readonly Tag[]): string {
  const path = join(tempDir(), 'clip.flv')
  const encoded = tags.map(([type, timestamp, body]) => encodeTag(type, timestamp, body))
  writeFileSync(path, Buffer.concat([flvHeader({ audio: true, video: true }), ...encoded]))
  return path
}
