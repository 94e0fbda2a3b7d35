import type { ServerResponse } from 'node:http'
import { codeOf, messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'

/** Listeners of a worker at most. */
const maxListeners = 100

/** What may wait for a listener that does not read, in bytes: then events are left out for it. */
const maxWaitingBytes = 1024 * 1024

/** A listener that takes nothing for this long is closed, in milliseconds. */
const stallMs = 30_000

/** How soon a page tries again when its connection broke, in milliseconds. */
const retryMs = 2000

const eventMs = 1000

interface Listener {
  readonly response: ServerResponse
  /** Events that were left out since it last read. */
  behind: number
}

/**
 * Server-sent events (HTML standard, 9.2): once a second what the server does, gathered once for all listeners, and not
 * at all without one.
 */
export class EventFeed {
  readonly #gather: () => Promise<unknown>
  readonly #logger: Logger
  readonly #listeners = new Set<Listener>()
  #timer: NodeJS.Timeout | null = null
  #gathering = false
  #number = 0
  #closed = false

  /** @param gather makes the data of an event */
  constructor(gather: () => Promise<unknown>, logger: Logger) {
    this.#gather = gather
    this.#logger = logger
  }

  /** Whether another listener would be taken. */
  get hasRoom(): boolean {
    return !this.#closed && this.#listeners.size < maxListeners
  }

  /** Sends events to whoever asked for this response, from now on; the first one at once. */
  add(response: ServerResponse): void {
    const listener: Listener = { response, behind: 0 }
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      // Proxies of nginx's kind hold answers back, unless they are told not to.
      'X-Accel-Buffering': 'no',
    })
    response.write(`retry: ${retryMs}\n\n`)
    this.#listeners.add(listener)
    response.once('close', () => this.#remove(listener))
    this.#timer ??= setInterval(() => this.#tick(), eventMs)
    if (this.#listeners.size === 1) this.#tick()
  }

  /** Ends every listener's response, and takes no more. */
  close(): void {
    this.#closed = true
    for (const { response } of this.#listeners) response.end()
  }

  #remove(listener: Listener): void {
    this.#listeners.delete(listener)
    if (this.#listeners.size > 0 || this.#timer === null) return
    clearInterval(this.#timer)
    this.#timer = null
  }

  #tick(): void {
    if (this.#gathering) return
    this.#gathering = true
    this.#gather()
      .then(
        (data) => this.#send(data),
        (error: unknown) => {
          const text = `api: an event is left out: ${messageOf(error)}`
          this.#logger.warn({ code: codeOf(error) }, text)
        },
      )
      .finally(() => {
        this.#gathering = false
      })
  }

  #send(data: unknown): void {
    this.#number += 1
    const event = Buffer.from(`id: ${this.#number}\nevent: snapshot\ndata: ${JSON.stringify(data)}\n\n`)
    for (const listener of this.#listeners) {
      const { response } = listener
      if (response.writableLength <= maxWaitingBytes) {
        listener.behind = 0
        response.write(event)
        continue
      }
      listener.behind += 1
      if (listener.behind * eventMs >= stallMs) response.destroy()
    }
  }
}
