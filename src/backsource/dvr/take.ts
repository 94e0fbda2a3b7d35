import { WeirError } from '../../base/errors.ts'
import { type TimeJitter, TimestampCorrector } from '../../live/timestamps.ts'
import { codecKey } from '../../media/dvr/codec-key.ts'
import type { RecordingFacts } from '../../media/dvr/facts.ts'
import type { OpeningTracks } from '../../media/dvr/opening-tracks.ts'
import type { Recording } from '../../media/dvr/recording.ts'
import {
  audioType,
  codecName,
  dataType,
  isHeader,
  type Packet,
  sequenceHeaderFlag,
  videoType,
} from '../../media/packet.ts'
import { UnwrappedTime } from '../../media/timestamp-delta.ts'
import { maxWaitingBytes, SlabWriter } from '../disk/slab-writer.ts'
import type { WriteQueue } from '../disk/write-queue.ts'
import type { OpenRecording } from './open-recording.ts'
import type { RecordingFile } from './recording-file.ts'

/** What is written is given to the disk after so long at the latest, in milliseconds: a crash costs no more. */
const flushMs = 1000

/** More than most streams have in that time: each write wakes two threads. */
const slabBytes = 384 * 1024

/** What all takes of a stream hold while their files are not open yet. */
export interface HeldBytes {
  bytes: number
}

/** A recording that is whole. */
export interface FinishedTake {
  readonly file: string
  readonly facts: RecordingFacts
  readonly bytes: number
}

/** What a take hears of its owner, and tells it. */
export interface TakeOwner {
  readonly queue: WriteQueue
  readonly held: HeldBytes
  readonly timeJitter: TimeJitter
  /** Whether it has to be known which tracks there are before the file is opened. */
  readonly waitsForTracks: boolean
  /** Whether a file may have several configurations of a codec. */
  readonly manyConfigurations: boolean
  readonly tracks: OpeningTracks
  /** Opens the file when those before are complete. */
  open(first: readonly Packet[]): Promise<OpenRecording | null>
  /** The disk has taken what was written so far. */
  onWritten(bytes: number): void
  onFinished(take: FinishedTake): void
  /** Nothing more is written. */
  onFailed(error: unknown): void
  /** Makes the best of a file that was given up, and is closed. Does not throw. */
  salvage(file: RecordingFile): Promise<void>
}

/** A packet with its time in the recording. */
interface Timed {
  readonly packet: Packet
  readonly timeMs: number
}

type State = 'gathering' | 'opening' | 'open' | 'over'

/** One recording: from its first packet until its file is complete. It never waits for the disk. */
export class Take {
  readonly #owner: TakeOwner
  readonly #slabs: SlabWriter
  readonly #corrector: TimestampCorrector
  readonly #time = new UnwrappedTime()
  #state: State = 'gathering'
  #held: Timed[] = []
  #heldBytes = 0
  #recording: Recording | null = null
  #file: RecordingFile | null = null
  #fromMs = 0
  #lastMs = 0
  /** When what was written was given to the disk, in the time of the recording. */
  #flushedAtMs = 0
  #hasEnded = false
  #hasVideo = false
  /** Of the frames that fit, see {@link codecKey}; -2: none yet. */
  #videoKey = -2
  #audioKey = -2
  /** Something came while the file was opened that has no place in it. */
  #isOutgrown = false
  #resolve: () => void = () => {}
  /** Resolves when its file is complete, or given up. */
  readonly complete = new Promise<void>((resolve) => {
    this.#resolve = resolve
  })

  constructor(owner: TakeOwner) {
    this.#owner = owner
    this.#corrector = new TimestampCorrector(owner.timeJitter)
    this.#slabs = new SlabWriter(owner.queue, 'DVR_BEHIND', slabBytes)
  }

  get hasVideo(): boolean {
    return this.#hasVideo
  }

  /** The file that it will be, and what was written of it; null as long as it is not open. */
  get progress(): { readonly file: string; readonly bytes: number; readonly durationMs: number } | null {
    if (this.#recording === null || this.#file === null) return null
    const { facts, bytes } = this.#recording
    return { file: this.#file.finalPath, bytes, durationMs: facts.durationMs }
  }

  /** Whether a packet has a place in its file, or another file has to begin with it. */
  fits(packet: Packet): boolean {
    if (isHeader(packet) || packet.type === dataType) return this.#fitsWhole(packet)
    const isVideo = packet.type === videoType
    const key = codecKey(packet)
    if (!this.#isOutgrown && key === (isVideo ? this.#videoKey : this.#audioKey)) return true
    if (!this.#fitsWhole(packet)) return false
    if (isVideo) this.#videoKey = key
    else this.#audioKey = key
    return true
  }

  #fitsWhole(packet: Packet): boolean {
    if (this.#recording !== null) return !this.#isOutgrown && this.#recording.fits(packet)
    if (packet.type === dataType || !(packet.flags & sequenceHeaderFlag)) return true
    // Nothing of the stream had a place in the file; that may be another matter now.
    if (this.#state === 'over') return false
    const known = packet.type === videoType ? this.#owner.tracks.video : this.#owner.tracks.audio
    if (known === null || known.body.equals(packet.body)) return true
    const isSameCodec = codecName(known.type, known.body) === codecName(packet.type, packet.body)
    return this.#owner.manyConfigurations && isSameCodec
  }

  push(packet: Packet): void {
    if (this.#state === 'over' || this.#hasEnded) return
    const timeMs = this.#timeOf(packet)
    if (this.#state === 'open') this.#write(packet, timeMs)
    else this.#hold(packet, timeMs)
  }

  /** Nothing more comes. */
  end(): void {
    if (this.#hasEnded || this.#state === 'over') return
    this.#hasEnded = true
    if (this.#state === 'open') this.#finish()
    else if (this.#state === 'gathering') this.#open()
  }

  #timeOf(packet: Packet): number {
    const outside = packet.type === dataType || isHeader(packet)
    if (outside) return this.#lastMs
    const timeMs = Math.max(0, this.#time.next(this.#corrector.correct(packet.timestamp)))
    this.#lastMs = timeMs
    if (packet.type !== audioType) this.#hasVideo = true
    return timeMs
  }

  #hold(packet: Packet, timeMs: number): void {
    const { held, queue, tracks, waitsForTracks } = this.#owner
    tracks.note(packet, timeMs)
    this.#held.push({ packet, timeMs })
    this.#heldBytes += packet.body.length
    held.bytes += packet.body.length
    if (held.bytes + queue.bytes > maxWaitingBytes) {
      this.#fail(new WeirError('DVR_BEHIND', `${held.bytes + queue.bytes} bytes wait for the disk`))
      return
    }
    if (this.#state === 'gathering' && (waitsForTracks ? tracks.isComplete : tracks.hasBegun)) this.#open()
  }

  #open(): void {
    this.#state = 'opening'
    this.#owner
      .open(this.#held.map(({ packet }) => packet))
      .then((opened) => this.#onOpen(opened))
      .catch((error: unknown) => {
        if (this.#state !== 'over') this.#fail(error)
        if (this.#file === null) this.#resolve()
      })
  }

  #onOpen(opened: OpenRecording | null): void {
    const held = this.#held
    this.#forget()
    if (opened === null) {
      // There is nothing that the file could have in it.
      this.#state = 'over'
      this.#resolve()
      return
    }
    this.#file = opened.file
    if (this.#state === 'over') {
      // It has taken too long.
      this.#salvage(opened.file)
      return
    }
    this.#state = 'open'
    this.#fromMs = opened.fromMs
    this.#slabs.begin(opened.file)
    this.#recording = opened.begin(this.#slabs)
    for (const { packet, timeMs } of held) {
      if (!this.#recording.fits(packet)) this.#isOutgrown = true
      this.#write(packet, timeMs)
    }
    if (this.#hasEnded) this.#finish()
  }

  #write(packet: Packet, timeMs: number): void {
    const recording = this.#recording
    const file = this.#file
    if (this.#state !== 'open' || recording === null || file === null) return
    try {
      if (isHeader(packet)) recording.header(packet, this.#fromMs + timeMs)
      else recording.frame(packet, this.#fromMs + timeMs)
      // By the stream's time: the clock of the machine costs more than the packet.
      if (Math.abs(timeMs - this.#flushedAtMs) >= flushMs) this.#flush(file, timeMs)
      if (file.error !== null) throw file.error
    } catch (error) {
      // Nothing that is recorded may hold up the stream.
      this.#fail(error)
    }
  }

  #flush(file: RecordingFile, timeMs: number): void {
    this.#flushedAtMs = timeMs
    this.#slabs.flush()
    this.#owner.onWritten(file.bytes)
  }

  #finish(): void {
    const recording = this.#recording
    const file = this.#file
    if (this.#state !== 'open' || recording === null || file === null) return
    this.#state = 'over'
    recording.flush()
    this.#slabs.end()
    const { facts, bytes } = recording
    const head = recording.head()
    this.#owner.queue.add(async () => {
      try {
        if (file.error !== null) throw file.error
        this.#owner.onFinished({ file: await file.finish(head), facts, bytes })
        this.#resolve()
      } catch (error) {
        this.#owner.onFailed(error)
        this.#salvage(file)
      }
    })
  }

  /** Gives it up: what is on the disk of it becomes a file. */
  #fail(error: unknown): void {
    const isOpening = this.#state === 'opening'
    this.#state = 'over'
    this.#forget()
    this.#owner.onFailed(error)
    if (this.#file !== null) {
      this.#slabs.end()
      this.#salvage(this.#file)
    } else if (!isOpening) this.#resolve()
  }

  #salvage(file: RecordingFile): void {
    this.#owner.queue.add(async () => {
      // Closed it is all the same, and why it was given up was told: what the disk has taken says what is left.
      await file.close().catch(() => {})
      await this.#owner.salvage(file)
      this.#resolve()
    })
  }

  #forget(): void {
    this.#owner.held.bytes -= this.#heldBytes
    this.#heldBytes = 0
    this.#held = []
  }
}
