import { WeirError } from '../../base/errors.ts'
import { readCodedBody } from '../coded-body.ts'
import { previousSizeBytes, tagHeaderBytes } from '../flv/tag.ts'
import { audioType, classify, keyFrameFlag, videoType } from '../packet.ts'
import { UnwrappedTime } from '../timestamp-delta.ts'
import type { FlvSlice, Period, Sample } from './recording.ts'

/** MP3 at 8 kHz has a name of its own in FLV. */
const sameCodec: Readonly<Record<string, string>> = { 'MP3-8k': 'MP3' }

/**
 * The frames in a slice of an FLV file, in its order: those that the index counted, and no others. They are views.
 * @param bytes of the file from `slice.start` up to `slice.end`
 * @throws WeirError VOD_BROKEN when they are no whole tags: the file is not the one that was indexed
 */
export function* flvSamples(bytes: Buffer, slice: FlvSlice, period: Period): Generator<Sample> {
  const clock = new UnwrappedTime()
  const baseMs = slice.timeMs - clock.next(slice.timestamp)
  let at = 0
  while (at < bytes.length) {
    const end = at + tagHeaderBytes + (at + tagHeaderBytes <= bytes.length ? bytes.readUIntBE(at + 1, 3) : 0)
    if (end + previousSizeBytes > bytes.length) {
      throw new WeirError('VOD_BROKEN', `FLV tag at ${slice.start + at} does not end where it did`)
    }
    const type = bytes.readUInt8(at) & 0x1f
    const offset = slice.start + at
    const body = bytes.subarray(at + tagHeaderBytes, end)
    const timestamp = bytes.readUIntBE(at + 4, 3) + bytes.readUInt8(at + 7) * 2 ** 24
    at = end + previousSizeBytes
    if (type !== audioType && type !== videoType) continue
    const track = type === videoType ? 'video' : 'audio'
    const header = period[track]
    const coded = readCodedBody(type, body)
    if (header === null || offset < header.from || coded?.content !== 'frame') continue
    if (coded.end <= coded.start || (sameCodec[coded.codec] ?? coded.codec) !== header.codec) continue
    const decodeMs = baseMs + clock.next(timestamp)
    const { compositionMs, start, end: codedEnd } = coded
    yield {
      track,
      isKey: track === 'audio' || (classify(type, body) & keyFrameFlag) !== 0,
      decodeMs,
      presentationMs: decodeMs + compositionMs,
      body,
      start,
      end: codedEnd,
    }
  }
}
