import type { AmfValue } from '../amf-value.ts'
import { tagSize, writeTag } from '../flv/writer.ts'
import { headerSubject } from '../header-subject.ts'
import {
  audioType,
  codecName,
  dataType,
  isKeyFrame,
  metadataFlag,
  type Packet,
  sequenceHeaderFlag,
  videoType,
} from '../packet.ts'
import type { RecordingFacts } from './facts.ts'
import { encodeFlvHead, type FlvHead, flvHeadBody, membersOf } from './flv-head.ts'
import { type ByteSink, endOf, type NewRecording, type Recording, TrackEnd } from './recording.ts'
import { SeekIndex } from './seek-index.ts'

/** What makes an FLV recording one that goes on with a file. */
export interface FlvContinued extends FlvHead {
  /** Length of the metadata's body. */
  readonly bodyBytes: number
}

/** Whether a file may have several configurations of a codec: other players than Weir's own stop there. */
export type Configurations = 'one' | 'many'

/** A recording as an FLV file: the packets as they came, behind metadata of our own. */
export class FlvRecording implements Recording {
  readonly #sink: ByteSink
  readonly #configurations: Configurations
  readonly #bodyBytes: number
  readonly #index: SeekIndex
  readonly #ends = { video: new TrackEnd(), audio: new TrackEnd() }
  /** What has been written of headers, by what they are about. */
  readonly #headers = new Map<string, Buffer>()
  #members: ReadonlyMap<string, AmfValue>
  #facts: RecordingFacts
  #hasFrames = false
  /** When the file begins; 0 when it goes on. */
  #startMs: number | null
  bytes: number

  /**
   * Begins a file.
   * @param metadata the body of the encoder's metadata; null: there is none yet
   * @param capacity key frames that the index has room for
   */
  static begin(
    sink: ByteSink,
    start: NewRecording,
    metadata: Buffer | null,
    capacity: number,
    configurations: Configurations,
  ): FlvRecording {
    const facts = { ...start, durationMs: 0, video: null, audio: null }
    const members = metadata === null ? new Map<string, AmfValue>() : membersOf(metadata)
    // As long as it may become: with the names of codecs.
    const longest = { ...facts, video: 'x'.repeat(16), audio: 'x'.repeat(16) }
    const bodyBytes = flvHeadBody({ facts: longest, members, fileBytes: 0 }, capacity)
    const head = { facts, members, fileBytes: 0, points: [], bodyBytes }
    const recording = new FlvRecording(sink, head, capacity, configurations)
    const bytes = encodeFlvHead({ ...head, facts: { ...facts, video: '', audio: '' } }, bodyBytes)
    recording.#give(bytes)
    return recording
  }

  /** Goes on with a file, behind its last tag. */
  static continue(
    sink: ByteSink,
    head: FlvContinued,
    capacity: number,
    configurations: Configurations,
  ): FlvRecording {
    return new FlvRecording(sink, head, capacity, configurations)
  }

  private constructor(sink: ByteSink, head: FlvContinued, capacity: number, configurations: Configurations) {
    this.#sink = sink
    this.#configurations = configurations
    this.#bodyBytes = head.bodyBytes
    this.#facts = head.facts
    this.#members = head.members
    this.#index = new SeekIndex(capacity, head.points)
    this.#startMs = head.fileBytes === 0 ? null : 0
    this.bytes = head.fileBytes
  }

  get facts(): RecordingFacts {
    const lengthMs = endOf(this.#ends) - (this.#startMs ?? 0)
    return { ...this.#facts, durationMs: Math.max(this.#facts.durationMs, lengthMs) }
  }

  fits(packet: Packet): boolean {
    if (packet.type === dataType) return true
    const known = packet.type === videoType ? this.#facts.video : this.#facts.audio
    if (known !== null && known !== codecName(packet.type, packet.body)) return false
    if (this.#configurations === 'many' || !this.#hasFrames || !(packet.flags & sequenceHeaderFlag))
      return true
    const before = this.#headers.get(subjectOf(packet))
    return before === undefined || before.equals(packet.body)
  }

  header(packet: Packet, timeMs: number): void {
    if (packet.flags & metadataFlag) {
      // It has its place in the head.
      this.#members = membersOf(packet.body)
      return
    }
    const subject = subjectOf(packet)
    if (this.#headers.get(subject)?.equals(packet.body)) return
    this.#headers.set(subject, packet.body)
    this.#note(packet)
    this.#write(packet, timeMs)
  }

  frame(packet: Packet, timeMs: number): void {
    if (packet.type !== dataType) {
      this.#note(packet)
      this.#hasFrames = true
      this.#startMs ??= timeMs
      this.#ends[packet.type === videoType ? 'video' : 'audio'].note(timeMs)
    }
    if (isKeyFrame(packet)) this.#index.add({ at: this.bytes, timeMs })
    this.#write(packet, timeMs)
  }

  flush(): void {}

  head(): Buffer {
    const head = {
      facts: this.facts,
      members: this.#members,
      fileBytes: this.bytes,
      points: this.#index.points,
    }
    return encodeFlvHead(head, this.#bodyBytes)
  }

  #note({ type, body }: Packet): void {
    const track = type === videoType ? 'video' : 'audio'
    if (this.#facts[track] === null) this.#facts = { ...this.#facts, [track]: codecName(type, body) }
  }

  #write({ type, body }: Packet, timeMs: number): void {
    const size = tagSize(body.length)
    const target = this.#sink.reserve(size)
    this.#sink.advance(writeTag(target, this.#sink.length, type, timeMs, body, 0, body.length))
    this.bytes += size
  }

  #give(bytes: Buffer): void {
    const target = this.#sink.reserve(bytes.length)
    this.#sink.advance(this.#sink.length + bytes.copy(target, this.#sink.length))
    this.bytes += bytes.length
  }
}

function subjectOf({ type, body }: Packet): string {
  const { subject, trackIds } = headerSubject(type, body)
  return `${type === audioType ? 'audio' : 'video'} ${subject} ${trackIds.join()}`
}
