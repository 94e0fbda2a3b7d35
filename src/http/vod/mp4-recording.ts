import {
  type EncodedPacket,
  EncodedPacketSink,
  FilePathSource,
  Input,
  type InputTrack,
  MP4,
  QTFF,
  UnsupportedInputFormatError,
} from 'mediabunny'
import { messageOf, WeirError } from '../../base/errors.ts'
import { cutRecording, type Picture, type Span } from '../../media/vod/mp4-cuts.ts'
import type {
  CarriedCodec,
  Mp4Slice,
  RecordingIndex,
  Sample,
  TrackHeader,
  TrackName,
} from '../../media/vod/recording.ts'
import type { RecordingFile } from './tasks.ts'

/** Bytes of each open file that are kept. */
const cacheBytes = 4 * 1024 * 1024

/** Files that a thread keeps open: the tables of a long one take a while to read. */
const maxOpen = 2

/** What segments carry, by the names of the library; with what the FLV body of a sequence header begins with. */
const carried = new Map<string, { readonly codec: CarriedCodec; readonly head: readonly number[] }>([
  ['avc', { codec: 'H264', head: [0x17, 0, 0, 0, 0] }],
  ['hevc', { codec: 'HEVC', head: [0x1c, 0, 0, 0, 0] }],
  ['aac', { codec: 'AAC', head: [0xaf, 0] }],
  ['mp3', { codec: 'MP3', head: [0x2f] }],
])

/** A track that can be carried. */
interface Track {
  readonly header: TrackHeader
  readonly packets: EncodedPacketSink
}

/** An open file. A thread does one task at a time: nobody else uses it meanwhile. */
interface OpenFile {
  readonly version: string
  readonly input: Input
  readonly video: Track | null
  readonly audio: Track | null
  readonly leftOut: readonly string[]
}

/** By path, the one used last at the end. */
const openFiles = new Map<string, OpenFile>()

/**
 * Looks through an MP4 or QuickTime file.
 * @throws WeirError VOD_FORMAT, VOD_BROKEN; the system's error when it cannot be read
 */
export function indexMp4(file: RecordingFile, fragmentMs: number): Promise<RecordingIndex> {
  return withCodes(async () => {
    const { video, audio, leftOut } = await open(file)
    const { pictures, end } = video === null ? { pictures: [], end: 0 } : await listPictures(video)
    const sound = audio === null ? null : await spanOf(audio)
    const segments = cutRecording(pictures, end, sound, fragmentMs)
    const period = { video: video?.header ?? null, audio: audio?.header ?? null }
    return { periods: [period], segments, leadMs: 0, leftOut }
  })
}

/**
 * The frames of a segment, in decoding order.
 * @param videoFrames how many of them are video
 * @throws WeirError VOD_BROKEN when the file is not the one that was indexed; the system's error when it cannot be read
 */
export function samplesOfMp4(file: RecordingFile, slice: Mp4Slice, videoFrames: number): Promise<Sample[]> {
  return withCodes(async () => {
    const { video, audio } = await open(file)
    const pictures: EncodedPacket[] = []
    if (video !== null && slice.videoTime !== null) {
      let packet = await video.packets.getPacket(slice.videoTime)
      for (
        ;
        packet !== null && pictures.length < videoFrames;
        packet = await video.packets.getNextPacket(packet)
      ) {
        pictures.push(packet)
      }
      if (pictures.length < videoFrames || pictures[0]?.timestamp !== slice.videoTime) {
        throw new WeirError('VOD_BROKEN', `its frames at ${slice.videoTime} s are not where they were`)
      }
    }
    const sound = audio === null ? [] : await listSound(audio, slice)
    return merge(pictureSamples(pictures, slice), soundSamples(sound, slice))
  })
}

async function listPictures({ packets }: Track): Promise<{ pictures: Picture[]; end: number }> {
  const pictures: Picture[] = []
  const options = { metadataOnly: true }
  let end = Number.NEGATIVE_INFINITY
  let packet = await packets.getFirstPacket(options)
  for (; packet !== null; packet = await packets.getNextPacket(packet, options)) {
    pictures.push({ time: packet.timestamp, isKey: packet.type === 'key', bytes: packet.byteLength })
    end = Math.max(end, packet.timestamp + packet.duration)
  }
  return { pictures, end }
}

async function spanOf({ packets }: Track): Promise<Span | null> {
  const options = { metadataOnly: true }
  const first = await packets.getFirstPacket(options)
  const last = await packets.getPacket(Number.POSITIVE_INFINITY, options)
  if (first === null || last === null) return null
  return { start: first.timestamp, end: last.timestamp + last.duration }
}

async function listSound({ packets }: Track, { audioTime, audioEnd }: Mp4Slice): Promise<EncodedPacket[]> {
  const sound: EncodedPacket[] = []
  const from = audioTime ?? Number.NEGATIVE_INFINITY
  const until = audioEnd ?? Number.POSITIVE_INFINITY
  // The last one that is not later than the segment, or all of them are.
  let packet = audioTime === null ? null : await packets.getPacket(audioTime)
  packet ??= await packets.getFirstPacket()
  for (; packet !== null && packet.timestamp < until; packet = await packets.getNextPacket(packet)) {
    if (packet.timestamp >= from) sound.push(packet)
  }
  return sound
}

function pictureSamples(packets: readonly EncodedPacket[], { reorderMs, shiftMs }: Mp4Slice): Sample[] {
  const inOrder = packets.map(({ timestamp }) => timestamp).sort((a, b) => a - b)
  return packets.map((packet, index) => ({
    ...sampleOf('video', packet, shiftMs),
    decodeMs: inOrder[index]! * 1000 - reorderMs + shiftMs,
  }))
}

function soundSamples(packets: readonly EncodedPacket[], { shiftMs }: Mp4Slice): Sample[] {
  return packets.map((packet) => sampleOf('audio', packet, shiftMs))
}

function sampleOf(track: TrackName, { data, timestamp, type }: EncodedPacket, shiftMs: number): Sample {
  const body = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  const timeMs = timestamp * 1000 + shiftMs
  return {
    track,
    isKey: type === 'key',
    decodeMs: timeMs,
    presentationMs: timeMs,
    body,
    start: 0,
    end: body.length,
  }
}

/** Both tracks in the order of their decoding times, each in its own. */
function merge(video: readonly Sample[], audio: readonly Sample[]): Sample[] {
  const merged: Sample[] = []
  let next = 0
  for (const picture of video) {
    for (; next < audio.length && audio[next]!.decodeMs < picture.decodeMs; next += 1)
      merged.push(audio[next]!)
    merged.push(picture)
  }
  return [...merged, ...audio.slice(next)]
}

async function open({ path, version }: RecordingFile): Promise<OpenFile> {
  const known = openFiles.get(path)
  openFiles.delete(path)
  if (known?.version === version) {
    openFiles.set(path, known)
    return known
  }
  known?.input.dispose()
  const source = new FilePathSource(path, { maxCacheSize: cacheBytes })
  const input = new Input({ source, formats: [MP4, QTFF] })
  try {
    const leftOut: string[] = []
    const video = await trackOf('video', await input.getPrimaryVideoTrack(), leftOut)
    const audio = await trackOf('audio', await input.getPrimaryAudioTrack(), leftOut)
    const file = { version, input, video, audio, leftOut }
    openFiles.set(path, file)
    for (const [oldest, { input: oldInput }] of openFiles) {
      if (openFiles.size <= maxOpen) break
      openFiles.delete(oldest)
      oldInput.dispose()
    }
    return file
  } catch (error) {
    input.dispose()
    throw error
  }
}

async function trackOf(name: TrackName, track: InputTrack | null, leftOut: string[]): Promise<Track | null> {
  if (track === null) return null
  const packets = new EncodedPacketSink(track)
  const known = carried.get((await track.getCodec()) ?? '')
  if (known === undefined) {
    const codec = (await track.getCodec()) ?? (await track.getInternalCodecId())
    leftOut.push(`${name}: ${String(codec)} has no place in a segment`)
    return null
  }
  const { codec, head } = known
  // MP3 has no configuration: any frame says what there is to say.
  const config = codec === 'MP3' ? (await packets.getFirstPacket())?.data : await configOf(track)
  if (config === undefined) {
    leftOut.push(`${name}: ${codec} without a decoder configuration`)
    return null
  }
  return { header: { codec, body: Uint8Array.of(...head, ...config), from: 0 }, packets }
}

async function configOf(track: InputTrack): Promise<Uint8Array | undefined> {
  const config = track.isVideoTrack() || track.isAudioTrack() ? await track.getDecoderConfig() : null
  const description = config?.description
  if (description === undefined) return undefined
  return ArrayBuffer.isView(description)
    ? new Uint8Array(description.buffer, description.byteOffset, description.byteLength)
    : new Uint8Array(description)
}

/** The library's errors get codes; those of the system have theirs. */
async function withCodes<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof WeirError || (error instanceof Error && 'syscall' in error)) throw error
    const code = error instanceof UnsupportedInputFormatError ? 'VOD_FORMAT' : 'VOD_BROKEN'
    throw new WeirError(code, messageOf(error), error)
  }
}
