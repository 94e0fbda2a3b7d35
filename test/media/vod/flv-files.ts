import { FlvReader } from '../../../src/media/flv/reader.ts'
import { encodeTag, flvHeader, tagSize } from '../../../src/media/flv/writer.ts'
import type { Packet } from '../../../src/media/packet.ts'
import { FlvIndexer } from '../../../src/media/vod/flv-indexer.ts'
import { flvSamples } from '../../../src/media/vod/flv-samples.ts'
import type { FlvSlice, RecordingIndex, Sample } from '../../../src/media/vod/recording.ts'

/** An FLV file of these packets. */
export function flvFile(packets: readonly Packet[]): Buffer {
  const tags = packets.map(({ type, timestamp, body }) => encodeTag(type, timestamp, body))
  return Buffer.concat([flvHeader({ audio: true, video: true }), ...tags])
}

export function indexOf(file: Buffer, fragmentMs: number): RecordingIndex {
  const indexer = new FlvIndexer(fragmentMs)
  for (const tag of new FlvReader().push(file)) indexer.push(tag, tag.offset + tagSize(tag.body.length))
  return indexer.finish()
}

/** The frames of each segment. */
export function samplesOf(file: Buffer, { periods, segments }: RecordingIndex): Sample[][] {
  return segments.map(({ slice, period }) => {
    const { start, end } = slice as FlvSlice
    return [...flvSamples(file.subarray(start, end), slice as FlvSlice, periods[period]!)]
  })
}
