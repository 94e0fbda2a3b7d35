import type { Config } from '../config/config.ts'
import { vhostOf } from '../config/vhost-of.ts'
import type { StreamId } from '../ipc/contract.ts'
import { vhostOfStream } from '../live/stream-key.ts'
import type { SourceEntry } from './source-entry.ts'

/**
 * Whose turn it is to have what is forwarded of it in the log: one stream in each `pithy_print_ms`, however many there are, and
 * however many processes have them.
 */
export class ForwardTurns {
  readonly #sources: ReadonlyMap<StreamId, SourceEntry>
  #config: Config
  #timer: NodeJS.Timeout
  /** Whose turn it was. */
  #last: StreamId = ''

  constructor(config: Config, sources: ReadonlyMap<StreamId, SourceEntry>) {
    this.#config = config
    this.#sources = sources
    this.#timer = this.#startTimer()
  }

  set config(config: Config) {
    const isChanged = config.pithyPrintMs !== this.#config.pithyPrintMs
    this.#config = config
    if (!isChanged) return
    this.close()
    this.#timer = this.#startTimer()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #startTimer(): NodeJS.Timeout {
    return setInterval(() => this.#next(), this.#config.pithyPrintMs)
  }

  /** In the order in which the streams came; behind the last one, the first. */
  #next(): void {
    const forwarded = [...this.#sources.values()].filter(({ stream, publisher }) => {
      return publisher !== null && vhostOf(this.#config, vhostOfStream(stream))?.forward.enabled
    })
    const at = forwarded.findIndex(({ stream }) => stream === this.#last)
    const entry = forwarded[at + 1] ?? forwarded[0]
    if (entry === undefined) return
    this.#last = entry.stream
    entry.host.worker.send({ t: 'summarise', source: entry.number })
  }
}
