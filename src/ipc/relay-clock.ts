import { monotonicMs } from '../base/clock.ts'
import { audioType, type Packet } from '../media/packet.ts'

/** What the clock flushes: a channel. */
export interface RelayTarget {
  flush(): void
}

/** Audio waits this long at most for a video frame to ride along with, in milliseconds. */
const audioWaitMs = 40

/** With up to this many streams in a process each frame is read and relayed as it comes. */
const promptStreams = 4

/** The longest `auto` lets media wait, and what each stream adds, in milliseconds. */
const maxAutoMs = 250
const autoMsPerStream = 2.5

/**
 * How long what streams bring may be gathered before it goes on to another process. A wake-up of a process costs far
 * more than the bytes, so that the wait grows with the number of streams.
 * @param latency `mr_latency`: milliseconds, or `auto`
 * @param streams streams that this process relays
 * @returns whole milliseconds; 0: nothing is gathered
 */
export function mergeWaitMs(latency: number | 'auto', streams: number): number {
  if (latency !== 'auto') return Math.floor(latency)
  return streams <= promptStreams ? 0 : Math.floor(Math.min(maxAutoMs, streams * autoMsPerStream))
}

/**
 * How long a packet may wait before it is relayed to another process. What is to be gathered was gathered when it was read
 * from its encoder; another wait here would be another wake-up.
 * @returns milliseconds; 0: at the end of this event-loop turn
 */
export function relayWaitMs(packet: Packet): number {
  return packet.type === audioType && packet.flags === 0 ? audioWaitMs : 0
}

/**
 * Flushes channels when the first packet queued on any of them is due, with one timer for all. The timer is set at the
 * end of the turn: of what one read brings, something mostly leaves at once and takes the rest along, and a timer that
 * was set for that rest would wake the process for nothing, cleared or not.
 */
export class RelayClock {
  #targets = new Set<RelayTarget>()
  #timer: NodeJS.Timeout | null = null
  /** When the timer fires. */
  #timerMs = Number.POSITIVE_INFINITY
  #dueMs = Number.POSITIVE_INFINITY
  #endsTurn = false

  /** Has `target` flushed within `waitMs` milliseconds, together with all others that are queued by then. */
  schedule(target: RelayTarget, waitMs: number): void {
    this.#targets.add(target)
    this.#dueMs = waitMs < 1 ? 0 : Math.min(this.#dueMs, monotonicMs() + waitMs)
    if (this.#endsTurn) return
    this.#endsTurn = true
    setImmediate(this.#endTurn)
  }

  readonly #endTurn = (): void => {
    this.#endsTurn = false
    if (this.#dueMs === 0) this.#flush()
    else if (this.#dueMs < this.#timerMs) {
      if (this.#timer !== null) clearTimeout(this.#timer)
      this.#timerMs = this.#dueMs
      this.#timer = setTimeout(this.#flush, Math.max(1, this.#dueMs - monotonicMs()))
    }
  }

  readonly #flush = (): void => {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#timerMs = Number.POSITIVE_INFINITY
    this.#dueMs = Number.POSITIVE_INFINITY
    const targets = this.#targets
    this.#targets = new Set()
    for (const target of targets) target.flush()
  }
}
