import type { StreamId } from '../ipc/contract.ts'

/**
 * Counts down `hls_dispose` for each stream that lost its publisher: it runs on when the stream's back-source is long
 * gone. The countdowns end with the master.
 */
export class HlsDisposal {
  readonly #timers = new Map<StreamId, NodeJS.Timeout>()
  readonly #dispose: (stream: StreamId) => void

  /** @param dispose has the stream's files deleted */
  constructor(dispose: (stream: StreamId) => void) {
    this.#dispose = dispose
  }

  /** @param afterSeconds `hls_dispose`; 0: never */
  onPublisherLeft(stream: StreamId, afterSeconds: number): void {
    this.onPublish(stream)
    if (afterSeconds === 0) return
    const timer = setTimeout(() => {
      this.#timers.delete(stream)
      this.#dispose(stream)
    }, afterSeconds * 1000)
    this.#timers.set(stream, timer)
  }

  onPublish(stream: StreamId): void {
    clearTimeout(this.#timers.get(stream))
    this.#timers.delete(stream)
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
  }
}
