import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { WeirError } from '../../base/errors.ts'
import { FlvReader } from '../../media/flv/reader.ts'
import { tagSize } from '../../media/flv/writer.ts'
import { FlvIndexer } from '../../media/vod/flv-indexer.ts'
import { flvSamples } from '../../media/vod/flv-samples.ts'
import type { FlvSlice, Period, RecordingIndex, Sample } from '../../media/vod/recording.ts'

const readBytes = 1024 * 1024

/** Longest body of a tag: what its length can say. */
const maxTagBody = 0xffffff

/**
 * Looks through an FLV file. What is left of a tag at its end, of a recording that was cut off, is passed over.
 * @throws WeirError FLV_FORMAT; the system's error when it cannot be read
 */
export function indexFlv(path: string, fragmentMs: number): RecordingIndex {
  const indexer = new FlvIndexer(fragmentMs)
  const reader = new FlvReader(maxTagBody)
  withFile(path, (file) => {
    const buffer = Buffer.allocUnsafeSlow(readBytes)
    for (;;) {
      const count = readSync(file, buffer, 0, readBytes, null)
      if (count === 0) return
      for (const tag of reader.push(buffer.subarray(0, count))) {
        indexer.push(tag, tag.offset + tagSize(tag.body.length))
      }
    }
  })
  if (reader.content === null) throw new WeirError('FLV_FORMAT', 'it ends within its header')
  return indexer.finish()
}

/**
 * The frames of a segment.
 * @throws WeirError VOD_BROKEN when the file is not the one that was indexed; the system's error when it cannot be read
 */
export function samplesOfFlv(path: string, slice: FlvSlice, period: Period): Iterable<Sample> {
  const bytes = Buffer.allocUnsafeSlow(slice.end - slice.start)
  withFile(path, (file) => {
    if (fstatSync(file).size < slice.end) throw new WeirError('VOD_BROKEN', 'it is shorter than it was')
    for (let at = 0; at < bytes.length; ) {
      const count = readSync(file, bytes, at, bytes.length - at, slice.start + at)
      if (count === 0) throw new WeirError('VOD_BROKEN', 'it is shorter than it was')
      at += count
    }
  })
  return flvSamples(bytes, slice, period)
}

function withFile(path: string, use: (file: number) => void): void {
  const file = openSync(path, 'r')
  try {
    use(file)
  } finally {
    closeSync(file)
  }
}
