import type { Config, VhostConfig } from '../config/config.ts'
import { vhostOf } from '../config/vhost-of.ts'
import type { StreamId } from '../ipc/contract.ts'
import { vhostOfStream } from '../live/stream-key.ts'

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

  /** Nobody publishes a stream any more, or it is not pulled any more. */
  onPublisherLeft(stream: StreamId, config: Config): void {
    this.onPublish(stream)
    const hls = vhostOf(config, vhostOfStream(stream))?.hls
    const afterSeconds = hls?.enabled ? disposeAfter(hls) : 0
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

/** What is in memory is not kept for good: nobody looks for a stream in it that has been over for as long as it is. */
function disposeAfter({ hlsDispose, hlsStorage, hlsWindow }: VhostConfig['hls']): number {
  return hlsDispose === 0 && hlsStorage === 'ram' ? Math.max(1, hlsWindow) : hlsDispose
}
