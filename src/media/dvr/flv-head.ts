import { codeOf, WeirError } from '../../base/errors.ts'
import { AmfEcmaArray, type AmfRecord, type AmfValue, amfObject, asNumber, asRecord } from '../amf-value.ts'
import { encodeAmf0 } from '../amf0-writer.ts'
import { fileHeaderBytes, previousSizeBytes, tagHeaderBytes } from '../flv/tag.ts'
import { encodeTag, flvHeader, tagSize } from '../flv/writer.ts'
import { dataEventName, isMetadata, readMetadata } from '../metadata.ts'
import { dataType } from '../packet.ts'
import { factNames, namedFacts, type RecordingFacts, readFacts } from './facts.ts'
import { halved, type SeekPoint } from './seek-index.ts'

/**
 * The beginning of an FLV recording: the file's header, and metadata that keep their length, so that at the end the
 * duration and an index of the key frames can be put in.
 *
 * Sources: Adobe "Video File Format Specification" 10.1, E.5 (onMetaData); `keyframes` is what players agreed on.
 */
export interface FlvHead {
  readonly facts: RecordingFacts
  /** What the encoder says of the stream. */
  readonly members: ReadonlyMap<string, AmfValue>
  /** Size of the file. */
  readonly fileBytes: number
  readonly points: readonly SeekPoint[]
}

/** Bytes in front of the metadata's body. */
const bodyAt = fileHeaderBytes + previousSizeBytes + tagHeaderBytes

/** Bytes of a key frame in the index: its position and its time, numbers with their markers. */
const pointBytes = 18

/** Bytes for what the encoder says later. */
const spareBytes = 512

/** What an encoder says that is taken over: more than this is no description of a stream. */
const maxMembers = 64
const maxTextBytes = 512
const maxMemberBytes = 8 * 1024

/** What a file says of itself, whoever wrote what it is made of. */
const ownNames = new Set([
  ...factNames,
  ...[
    'filesize',
    'keyframes',
    'hasKeyframes',
    'hasMetadata',
    'padding',
    'lasttimestamp',
    'lastkeyframetimestamp',
  ],
])

/** Elements that a head may have: its index has two numbers for each key frame. */
const limits = { elements: 16_384 }

/** What of an encoder's metadata a file takes over. @returns nothing for metadata that does not parse */
export function membersOf(body: Buffer): Map<string, AmfValue> {
  const members = new Map<string, AmfValue>()
  let left = maxMemberBytes
  for (const [name, value] of recordOf(body) ?? []) {
    if (!['boolean', 'number', 'string'].includes(typeof value) || ownNames.has(name)) continue
    const textBytes = typeof value === 'string' ? Buffer.byteLength(value) : 0
    const bytes = Buffer.byteLength(name) + textBytes
    if (textBytes > maxTextBytes || bytes > left || members.size === maxMembers) continue
    left -= bytes
    members.set(name, value)
  }
  return members
}

/** How long the body of the metadata is to be so that an index of so many key frames fits into it. */
export function flvHeadBody(head: Omit<FlvHead, 'points'>, points: number): number {
  return bodyOf({ ...head, points: [] }).length + points * pointBytes + spareBytes
}

/** @param bodyBytes length of the metadata's body, from {@link flvHeadBody} */
export function encodeFlvHead(head: FlvHead, bodyBytes: number): Buffer {
  const { video, audio } = head.facts
  const content = { video: video !== null, audio: audio !== null }
  return Buffer.concat([flvHeader(content), encodeTag(dataType, 0, paddedBody(head, bodyBytes))])
}

/**
 * Reads the head of a file.
 * @param bytes the file's first ones
 * @returns what it says, and its length; null if it is not the head of a recording of ours
 */
export function readFlvHead(
  bytes: Buffer,
): (FlvHead & { readonly bodyBytes: number; readonly headBytes: number }) | null {
  if (bytes.length < bodyAt || bytes.toString('latin1', 0, 3) !== 'FLV') return null
  if (bytes[fileHeaderBytes + previousSizeBytes] !== dataType) return null
  const bodyBytes = bytes.readUIntBE(bodyAt - tagHeaderBytes + 1, 3)
  const body = bytes.subarray(bodyAt, bodyAt + bodyBytes)
  if (body.length < bodyBytes || !isMetadata(dataEventName(body))) return null
  const record = recordOf(body)
  const facts = record && readFacts((name) => record.get(name))
  if (!record || !facts) return null
  const fileBytes = asNumber(record.get('filesize')) ?? 0
  const headBytes = bodyAt - tagHeaderBytes + tagSize(bodyBytes)
  return { facts, members: membersOf(body), fileBytes, points: pointsOf(record), bodyBytes, headBytes }
}

function pointsOf(record: AmfRecord): SeekPoint[] {
  const index = asRecord(record.get('keyframes'))
  const [positions, times] = [index?.get('filepositions'), index?.get('times')]
  if (!Array.isArray(positions) || !Array.isArray(times)) return []
  return positions.flatMap((position, order) => {
    const [at, seconds] = [asNumber(position), asNumber(times[order])]
    return at === null || seconds === null ? [] : [{ at, timeMs: Math.round(seconds * 1000) }]
  })
}

function recordOf(body: Buffer): AmfRecord | null {
  try {
    return readMetadata(body, limits)
  } catch (error) {
    if (codeOf(error).startsWith('AMF_')) return null
    throw error
  }
}

/** With as much of the index as fits; where what the encoder says has grown too long, without that. */
function paddedBody(head: FlvHead, bodyBytes: number): Buffer {
  for (let { points } = head; ; points = halved(points)) {
    const body = bodyOf({ ...head, points })
    if (body.length <= bodyBytes) return bodyOf({ ...head, points }, bodyBytes - body.length)
    if (points.length <= 1) break
  }
  const bare = { ...head, members: new Map(), points: [] }
  const room = bodyBytes - bodyOf(bare).length
  if (room < 0) throw new WeirError('FLV_FORMAT', `a head of ${bodyBytes} bytes is too short`)
  return bodyOf(bare, room)
}

function bodyOf({ facts, members, fileBytes, points }: FlvHead, padding = 0): Buffer {
  const index = amfObject({
    filepositions: points.map(({ at }) => at),
    times: points.map(({ timeMs }) => timeMs / 1000),
  })
  return encodeAmf0(
    'onMetaData',
    new AmfEcmaArray([
      ...Object.entries(namedFacts(facts)),
      ['filesize', fileBytes],
      ...members,
      ['hasKeyframes', points.length > 0],
      ['keyframes', index],
      ['padding', ' '.repeat(padding)],
    ]),
  )
}
