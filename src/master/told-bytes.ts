import { decodeAnswer } from '../ipc/answer-codec.ts'
import type { EncodedAnswer, Question, StreamId, VhostTraffic } from '../ipc/contract.ts'
import type { SourceEntry } from './source-entry.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** What a worker has told of the bytes that it counted. */
interface Told {
  /** Its last answer about its virtual hosts, as it came. */
  traffic: EncodedAnswer | null
  /** Sent to players of a stream. */
  readonly streams: Map<StreamId, number>
}

/**
 * Keeps what workers with clients told of the bytes that they counted, beyond their end: what somebody was told once is never
 * less later. What a worker counted and told nobody is lost with it.
 */
export class ToldBytes {
  readonly #workers = new Map<WorkerHandle, Told>()
  /** Of workers that have ended, by virtual host. */
  readonly #gone = new Map<string, { sendBytes: number; recvBytes: number }>()

  /** A worker's answer, to be called at once: it may end in the next moment. */
  onAnswer(worker: WorkerHandle, question: Question, answer: EncodedAnswer): void {
    if (question.ask === 'traffic') this.#of(worker).traffic = answer
    if (question.ask !== 'audience') return
    const decoded = decodeAnswer(answer)
    if (decoded.of !== 'audience') return
    const { streams } = this.#of(worker)
    for (const { stream, sendBytes } of decoded.audience) if (sendBytes > 0) streams.set(stream, sendBytes)
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
      told = { traffic: null, streams: new Map() }
      this.#workers.set(worker, told)
    }
    return told
  }
}
