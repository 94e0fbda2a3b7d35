import type { Sample } from '../vod/recording.ts'
import { box, fullBox, u32 } from './box.ts'
import { audioTrackId, videoTrackId } from './movie.ts'

/** Fragments of an MP4 file. Source: ISO/IEC 14496-12, 8.8. */

/** Bytes of a fragment's boxes: around the tracks, around the samples of each, for each sample, and around the data. */
const moofBytes = 8 + 16
const trackBytes = 8 + 16 + 20 + 20
const videoEntryBytes = 16
const audioEntryBytes = 8
const mdatBytes = 8

/** Offsets count from the fragment's beginning (8.8.7). */
const baseIsFragment = 0x020000

/** What is said of samples (8.8.8): where their data are, their duration and size; flags and composition offset. */
const audioRunFlags = 0x301
const videoRunFlags = 0xf01

/** Flags of a sample that needs no other, and of one that does (8.8.3.1). */
const keyFlags = 0x02000000
const otherFlags = 0x01010000

/** The length of a frame where it cannot be told, in milliseconds. */
const defaultFrameMs = 40

/** Bytes of a fragment with so many samples whose data has that many bytes. */
export function fragmentBytes(videoFrames: number, audioFrames: number, dataBytes: number): number {
  const video = videoFrames === 0 ? 0 : trackBytes + videoFrames * videoEntryBytes
  const audio = audioFrames === 0 ? 0 : trackBytes + audioFrames * audioEntryBytes
  return moofBytes + video + audio + mdatBytes + dataBytes
}

/**
 * Writes a fragment: first all of its video, then all of its audio.
 * @param sequence its number, from 1 on
 * @param offsetMs what is added to the samples' times
 */
export function writeFragment(sequence: number, samples: readonly Sample[], offsetMs: number): Uint8Array {
  const fragment = Buffer.allocUnsafeSlow(fragmentSize(samples))
  writeFragmentInto(fragment, 0, sequence, samples, offsetMs)
  return fragment
}

/** Bytes of the fragment that {@link writeFragmentInto} writes. */
export function fragmentSize(samples: readonly Sample[]): number {
  const videoFrames = samples.filter(({ track }) => track === 'video').length
  return fragmentBytes(videoFrames, samples.length - videoFrames, bytesOf(samples))
}

/**
 * As {@link writeFragment}, into `target`, which has room for {@link fragmentSize} bytes at `start`.
 * @returns the offset behind it
 */
export function writeFragmentInto(
  target: Buffer,
  start: number,
  sequence: number,
  samples: readonly Sample[],
  offsetMs: number,
): number {
  const video = samples.filter(({ track }) => track === 'video')
  const audio = samples.filter(({ track }) => track === 'audio')
  const videoBytes = bytesOf(video)
  const dataBytes = videoBytes + bytesOf(audio)
  const size = fragmentBytes(video.length, audio.length, dataBytes)
  const dataAt = size - dataBytes
  const moof = box(
    'moof',
    fullBox('mfhd', 0, 0, u32(sequence)),
    ...(video.length === 0 ? [] : [fragmentOf(videoTrackId, video, dataAt, offsetMs)]),
    ...(audio.length === 0 ? [] : [fragmentOf(audioTrackId, audio, dataAt + videoBytes, offsetMs)]),
  )
  let at = start + moof.copy(target, start)
  at = target.writeUInt32BE(mdatBytes + dataBytes, at)
  at += target.write('mdat', at, 'latin1')
  for (const { body, start, end } of [...video, ...audio]) at += body.copy(target, at, start, end)
  return at
}

function bytesOf(samples: readonly Sample[]): number {
  return samples.reduce((sum, { start, end }) => sum + end - start, 0)
}

function fragmentOf(trackId: number, samples: readonly Sample[], dataAt: number, offsetMs: number): Buffer {
  const isVideo = trackId === videoTrackId
  const startMs = Math.max(0, (samples[0]?.decodeMs ?? 0) + offsetMs)
  const entries = Buffer.allocUnsafe(samples.length * (isVideo ? videoEntryBytes : audioEntryBytes))
  let at = 0
  for (const [index, { isKey, decodeMs, presentationMs, start, end }] of samples.entries()) {
    at = entries.writeUInt32BE(durationOf(samples, index), at)
    at = entries.writeUInt32BE(end - start, at)
    if (!isVideo) continue
    at = entries.writeUInt32BE(isKey ? keyFlags : otherFlags, at)
    // The offset is signed; as it is written here, in two's complement.
    at = entries.writeUInt32BE((presentationMs - decodeMs) >>> 0, at)
  }
  return box(
    'traf',
    fullBox('tfhd', 0, baseIsFragment, u32(trackId)),
    fullBox('tfdt', 1, 0, u32(Math.floor(startMs / 2 ** 32), startMs % 2 ** 32)),
    fullBox('trun', 1, isVideo ? videoRunFlags : audioRunFlags, u32(samples.length, dataAt), entries),
  )
}

/** Until the next sample; the last one is as long as the one before. */
function durationOf(samples: readonly Sample[], index: number): number {
  const from = Math.min(index, samples.length - 2)
  if (from < 0) return defaultFrameMs
  return Math.max(0, samples[from + 1]!.decodeMs - samples[from]!.decodeMs)
}
