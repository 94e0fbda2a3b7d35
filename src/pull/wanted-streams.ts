import type { FromMaster, StreamId, ToMaster } from '../ipc/contract.ts'
import type { Presence } from './pulled-stream.ts'

/** A stream that is wanted. */
export interface WantedStream {
  /** Whether it is here; of one that another server has, whether its media comes. */
  readonly presence: Presence
  /** Resolves when that is known; at once if it is. */
  known(): Promise<void>
  /** It is wanted no more. */
  release(): void
}

/**
 * Streams that this worker has the server keep without playing them: their media does not come here. The master counts a
 * worker once, whether it plays a stream or only wants it.
 */
export class WantedStreams {
  readonly #send: (message: ToMaster) => void
  readonly #isPlayed: (stream: StreamId) => boolean
  readonly #wanted = new Map<StreamId, Wanted>()

  /** @param isPlayed whether this worker watches a stream for its players */
  constructor(send: (message: ToMaster) => void, isPlayed: (stream: StreamId) => boolean) {
    this.#send = send
    this.#isPlayed = isPlayed
  }

  has(stream: StreamId): boolean {
    return this.#wanted.has(stream)
  }

  /** To be called once for a stream, until it is released. The master's answer comes even if players have asked before. */
  want(stream: StreamId): WantedStream {
    const wanted = new Wanted(() => {
      this.#wanted.delete(stream)
      if (!this.#isPlayed(stream)) this.#send({ t: 'unwatch', stream, bytesOut: 0 })
    })
    this.#wanted.set(stream, wanted)
    this.#send({ t: 'watch', stream })
    return wanted
  }

  onMessage({ t, stream }: Extract<FromMaster, { t: 'source-up' | 'source-absent' | 'source-down' }>): void {
    const wanted = this.#wanted.get(stream)
    if (wanted !== undefined) wanted.presence = t === 'source-up' ? 'live' : 'absent'
  }
}

class Wanted implements WantedStream {
  readonly #onRelease: () => void
  readonly #waiting = new Set<() => void>()
  #presence: Presence = 'unknown'

  constructor(onRelease: () => void) {
    this.#onRelease = onRelease
  }

  get presence(): Presence {
    return this.#presence
  }

  set presence(presence: Presence) {
    this.#presence = presence
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }

  known(): Promise<void> {
    if (this.#presence !== 'unknown') return Promise.resolve()
    return new Promise((resolve) => this.#waiting.add(resolve))
  }

  release(): void {
    this.#onRelease()
    // Whoever waits for it hears that nothing comes.
    if (this.#presence === 'unknown') this.presence = 'absent'
  }
}
