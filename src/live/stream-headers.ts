import { type HeaderSubject, headerSubject } from '../media/header-subject.ts'
import {
  audioType,
  isHeader,
  metadataFlag,
  type Packet,
  sequenceHeaderFlag,
  videoType,
} from '../media/packet.ts'

/** A header of audio or video that is in force. */
interface Kept extends HeaderSubject {
  readonly packet: Packet
}

/** Headers of audio, and of video, that are kept beside the sequence header of the default track. */
const maxSideHeaders = 64
/** The bytes that these may have together. */
const maxSideBytes = 256 * 1024

/**
 * What a decoder needs before the first frame: metadata, the sequence headers of all tracks of video and audio, and
 * what else is in force for them (colours, channels). Every place that lets somebody join a stream keeps these: the
 * publisher's worker, the source, the broadcast.
 */
export class StreamHeaders {
  #metadata: Packet | null = null
  #video: Kept[] = []
  #audio: Kept[] = []
  #list: readonly Packet[] = []

  /** The sequence header of the default video track. */
  get video(): Packet | null {
    return this.#video.findLast(isMain)?.packet ?? null
  }

  /** The sequence header of the default audio track. */
  get audio(): Packet | null {
    return this.#audio.findLast(isMain)?.packet ?? null
  }

  /** Keeps a packet if it is a header; one that says anew what an older one did takes its place. */
  keep(packet: Packet): void {
    if (!isHeader(packet)) return
    if (packet.flags & metadataFlag) this.#metadata = packet
    else if (packet.type === videoType) this.#video = withHeader(this.#video, packet)
    else if (packet.type === audioType) this.#audio = withHeader(this.#audio, packet)
    const packets = [...this.#video, ...this.#audio].map((kept) => kept.packet)
    this.#list = this.#metadata === null ? packets : [this.#metadata, ...packets]
  }

  /** In the order in which a decoder wants them. The array is another one after each change. */
  list(): readonly Packet[] {
    return this.#list
  }

  clear(): void {
    this.#metadata = null
    this.#video = []
    this.#audio = []
    this.#list = []
  }
}

/** The headers in force once `packet` has come, the latest last. */
function withHeader(before: readonly Kept[], packet: Packet): Kept[] {
  const next: Kept = { packet, ...headerSubject(packet.type, packet.body) }
  const tracks = new Set(next.trackIds)
  const isReplaced = ({ subject, trackIds }: Kept): boolean =>
    subject === next.subject && trackIds.every((id) => tracks.has(id))
  return withinBounds([...before.filter((kept) => !isReplaced(kept)), next])
}

/** Without the oldest side headers that are too many: no encoder sends so much, and memory has to have an end. */
function withinBounds(headers: Kept[]): Kept[] {
  const main = headers.findLast(isMain)
  const side = headers.filter((kept) => kept !== main)
  let bytes = side.reduce((sum, { packet }) => sum + packet.body.length, 0)
  const dropped = new Set<Kept>()
  for (const kept of side) {
    if (side.length - dropped.size <= maxSideHeaders && bytes <= maxSideBytes) break
    dropped.add(kept)
    bytes -= kept.packet.body.length
  }
  return dropped.size === 0 ? headers : headers.filter((kept) => !dropped.has(kept))
}

/** Whether it configures the decoder of the default track. */
function isMain({ packet }: Kept): boolean {
  return (packet.flags & sequenceHeaderFlag) !== 0
}
