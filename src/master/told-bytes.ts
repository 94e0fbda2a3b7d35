import { decodeAnswer } from '../ipc/answer-codec.ts'
import type {
  EncodedAnswer,
  Question,
  Received,
  SourceNumber,
  StreamId,
  StreamInfo,
  VhostTraffic,
} from '../ipc/contract.ts'
import type { SourceEntry } from './source-entry.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** What a worker or a back-source has told of the bytes that it counted. */
interface Told {
  /** Its last answer about its virtual hosts, as it came. */
  traffic: EncodedAnswer | null
  /** Sent to players of a stream. */
  readonly streams: Map<StreamId, number>
  /** Received of a stream. */
  received: Map<SourceNumber, Received>
}

/**
 * Keeps what workers with clients, and back-sources, told of the bytes that they counted, beyond their end: what somebody was
 * told once is never less later. What a process counted and told nobody is lost with it.
 */
export class ToldBytes {
  readonly #workers = new Map<WorkerHandle, Told>()
  /** Of workers that have ended, by virtual host. */
  readonly #gone = new Map<string, { sendBytes: number; recvBytes: number }>()

  /** A worker's answer, to be called at once: it may end in the next moment. */
  onAnswer(worker: WorkerHandle, question: Question, answer: EncodedAnswer): void {
    if (question.ask === 'traffic') this.#of(worker).traffic = answer
    if (question.ask !== 'audience' && question.ask !== 'streams' && question.ask !== 'stream') return
    const decoded = decodeAnswer(answer)
    const told = this.#of(worker)
    if (decoded.of === 'audience') {
      for (const { stream, sendBytes } of decoded.audience) {
        if (sendBytes > 0) told.streams.set(stream, sendBytes)
      }
    } else if (decoded.of === 'streams') noteReceived(told, decoded.streams, decoded.total)
  }

  /** A back-source is gone or going: what it told of its streams is theirs now, and the next one goes on from there. */
  onBackSourceLost(worker: WorkerHandle, sources: ReadonlyMap<StreamId, SourceEntry>): void {
    const received = this.#workers.get(worker)?.received
    if (received === undefined) return
    for (const entry of sources.values()) {
      if (entry.host.worker === worker) entry.received = received.get(entry.number) ?? entry.received
    }
  }

  /** A worker lets a stream go, and what it had sent of it is counted elsewhere from now on. */
  onUnwatch(worker: WorkerHandle, stream: StreamId): void {
    this.#workers.get(worker)?.streams.delete(stream)
  }

  /** A worker has ended: what it told is the master's now. */
  onExit(worker: WorkerHandle, sources: ReadonlyMap<StreamId, SourceEntry>): void {
    const told = this.#workers.get(worker)
    if (told === undefined) return
    this.#workers.delete(worker)
    for (const [stream, sentBytes] of told.streams) {
      const entry = sources.get(stream)
      if (entry !== undefined) entry.sentBytes += sentBytes
    }
    const answer = told.traffic && decodeAnswer(told.traffic)
    if (answer?.of !== 'traffic') return
    for (const { vhost, sendBytes, recvBytes } of answer.traffic) {
      const sum = this.#gone.get(vhost) ?? { sendBytes: 0, recvBytes: 0 }
      sum.sendBytes += sendBytes
      sum.recvBytes += recvBytes
      this.#gone.set(vhost, sum)
    }
  }

  /** The bytes of workers that have ended, as traffic without clients. */
  traffic(): VhostTraffic[] {
    const nobody = { publishers: 0, players: {}, sendKbps: 0, recvKbps: 0, streams: 0 }
    return [...this.#gone].map(([vhost, bytes]) => ({ vhost, ...nobody, ...bytes }))
  }

  #of(worker: WorkerHandle): Told {
    let told = this.#workers.get(worker)
    if (told === undefined) {
      told = { traffic: null, streams: new Map(), received: new Map() }
      this.#workers.set(worker, told)
    }
    return told
  }
}

function noteReceived(told: Told, streams: readonly StreamInfo[], total: number): void {
  // Streams that it has no more are forgotten when it has told of all.
  if (streams.length === total) told.received = new Map()
  for (const { source, recvBytes, frames } of streams) told.received.set(source, { recvBytes, frames })
}
