import { box, fullBox, u16, u32 } from './box.ts'

/**
 * What stands in front of the fragments of an MP4 file: which tracks there are, and where the fragments are.
 *
 * Sources: ISO/IEC 14496-12 (boxes, fragments, segment index); 14496-14 and 14496-1, 7.2.6 (AAC, MP3); 14496-15 (H.264,
 * HEVC).
 */

export interface Mp4Video {
  readonly codec: 'H264' | 'HEVC'
  /** The decoder configuration record. */
  readonly config: Uint8Array
  /** Pixels. */
  readonly width: number
  readonly height: number
}

export interface Mp4Audio {
  readonly codec: 'AAC' | 'MP3'
  /** The AudioSpecificConfig; empty for MP3. */
  readonly config: Uint8Array
  readonly channels: number
  /** Samples per second. */
  readonly sampleRate: number
}

export interface Mp4Movie {
  readonly video: Mp4Video | null
  readonly audio: Mp4Audio | null
  /** The fragments, in order: bytes and milliseconds of each. */
  readonly fragments: readonly { readonly bytes: number; readonly durationMs: number }[]
}

/** Units of time in a second: times in FLV are milliseconds, and are kept as they are. */
const timescale = 1000

export const videoTrackId = 1
export const audioTrackId = 2

/** The most fragments that an index can list: its count has 16 bits. */
const maxIndexed = 0xffff

const fixed1 = 0x00010000
const unityMatrix = u32(fixed1, 0, 0, 0, fixed1, 0, 0, 0, 0x40000000)
const zeros = (bytes: number): Buffer => Buffer.alloc(bytes)

/** The language code of "undetermined". */
const undetermined = 0x55c4

/** Flags of a track that is enabled, in the movie and in its preview. */
const trackFlags = 7

/** Types of MPEG-4 object descriptors, and the object types of their streams. */
const descriptors = { stream: 3, decoder: 4, decoderSpecific: 5, syncLayer: 6 } as const
const objectTypes = { AAC: 0x40, MP3: 0x6b } as const
/** An audio stream, with a bit that is always set. */
const audioStream = 0x15

export function movieHead(movie: Mp4Movie): Buffer {
  const { fragments } = movie
  const durationMs = fragments.reduce((sum, fragment) => sum + fragment.durationMs, 0)
  const index = fragments.length > maxIndexed ? [] : [segmentIndex(mainTrackId(movie), fragments)]
  return Buffer.concat([fileType(), movieBox(movie, durationMs), ...index])
}

/** What says that a file is an MP4 file with fragments. */
export function fileType(): Buffer {
  return box('ftyp', Buffer.from('isom'), u32(0x200), Buffer.from('isomiso6mp41'))
}

/** The track that an index is about. */
export function mainTrackId({ video }: Pick<Mp4Movie, 'video'>): number {
  return video === null ? audioTrackId : videoTrackId
}

/** What there is to be decoded. It is as long whatever the duration is. */
export function movieBox({ video, audio }: Omit<Mp4Movie, 'fragments'>, durationMs: number): Buffer {
  const tracks = [
    ...(video === null ? [] : [videoTrack(video)]),
    ...(audio === null ? [] : [audioTrack(audio)]),
  ]
  const ids = [...(video === null ? [] : [videoTrackId]), ...(audio === null ? [] : [audioTrackId])]
  const defaults = ids.map((id) => fullBox('trex', 0, 0, u32(id, 1, 0, 0, 0)))
  return box(
    'moov',
    fullBox(
      'mvhd',
      0,
      0,
      u32(0, 0, timescale, 0, fixed1),
      u16(0x0100),
      zeros(10),
      unityMatrix,
      zeros(24),
      u32(audioTrackId + 1),
    ),
    ...tracks,
    box('mvex', fullBox('mehd', 0, 0, u32(durationMs)), ...defaults),
  )
}

/** Bytes of an index, without its entries, and of each of these. */
export const indexBytes = 32
export const indexEntryBytes = 12

/**
 * Where the fragments are, so that players can seek without reading them all (8.16.3).
 * @param startMs when the first one begins
 * @param gapBytes what is between the index and the first fragment
 */
export function segmentIndex(
  trackId: number,
  fragments: Mp4Movie['fragments'],
  startMs = 0,
  gapBytes = 0,
): Buffer {
  const startsWithKeyFrame = 0x90000000
  const entries = fragments.map(({ bytes, durationMs }) => u32(bytes, durationMs, startsWithKeyFrame))
  const head = u32(trackId, timescale, startMs, gapBytes)
  return fullBox('sidx', 0, 0, head, u16(0, fragments.length), ...entries)
}

function videoTrack({ codec, config, width, height }: Mp4Video): Buffer {
  const [type, configType] = codec === 'H264' ? (['avc1', 'avcC'] as const) : (['hvc1', 'hvcC'] as const)
  const dotsPerInch = 0x00480000
  const entry = box(
    type,
    zeros(6),
    u16(1),
    zeros(16),
    u16(width, height),
    u32(dotsPerInch, dotsPerInch, 0),
    u16(1),
    zeros(32),
    u16(0x18, 0xffff),
    box(configType, config),
  )
  return track(videoTrackId, 'vide', 0, [width, height], fullBox('vmhd', 0, 1, zeros(8)), entry)
}

function audioTrack(audio: Mp4Audio): Buffer {
  const { channels, sampleRate } = audio
  const rate = Math.min(sampleRate, 0xffff) * 2 ** 16
  const entry = box(
    'mp4a',
    zeros(6),
    u16(1),
    zeros(8),
    u16(channels, 16, 0, 0),
    u32(rate),
    streamDescriptor(audio),
  )
  return track(audioTrackId, 'soun', 0x0100, [0, 0], fullBox('smhd', 0, 0, zeros(4)), entry)
}

function streamDescriptor({ codec, config }: Mp4Audio): Buffer {
  const specific = config.length === 0 ? [] : [descriptor(descriptors.decoderSpecific, config)]
  const decoder = descriptor(
    descriptors.decoder,
    Buffer.of(objectTypes[codec], audioStream),
    zeros(11),
    ...specific,
  )
  const stream = descriptor(
    descriptors.stream,
    u16(audioTrackId),
    zeros(1),
    decoder,
    descriptor(descriptors.syncLayer, Buffer.of(2)),
  )
  return fullBox('esds', 0, 0, stream)
}

/** An object descriptor, whose length has 28 bits in four bytes. */
function descriptor(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const head = Buffer.of(
    tag,
    0x80 | ((length >> 21) & 0x7f),
    0x80 | ((length >> 14) & 0x7f),
    0x80 | ((length >> 7) & 0x7f),
    length & 0x7f,
  )
  return Buffer.concat([head, content])
}

function track(
  id: number,
  handler: 'vide' | 'soun',
  volume: number,
  [width, height]: readonly [number, number],
  mediaHeader: Buffer,
  sampleEntry: Buffer,
): Buffer {
  // Samples are in the fragments: there are none in these tables.
  const tables = [
    fullBox('stsd', 0, 0, u32(1), sampleEntry),
    fullBox('stts', 0, 0, u32(0)),
    fullBox('stsc', 0, 0, u32(0)),
    fullBox('stsz', 0, 0, u32(0, 0)),
    fullBox('stco', 0, 0, u32(0)),
  ]
  const dataHere = box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, 1)))
  return box(
    'trak',
    fullBox(
      'tkhd',
      0,
      trackFlags,
      u32(0, 0, id, 0, 0),
      zeros(8),
      u16(0, 0, volume, 0),
      unityMatrix,
      u32(width * 2 ** 16, height * 2 ** 16),
    ),
    box(
      'mdia',
      fullBox('mdhd', 0, 0, u32(0, 0, timescale, 0), u16(undetermined, 0)),
      fullBox('hdlr', 0, 0, u32(0), Buffer.from(handler), zeros(12), Buffer.from('Weir\0')),
      box('minf', mediaHeader, dataHere, box('stbl', ...tables)),
    ),
  )
}
