/** One timer for all publishers of a thread. */
import { monotonicMs } from '../../base/clock.ts'

export interface ClockedSender {
  /**
   * Sends what is due.
   * @param nowMs the monotonic time
   * @returns when there is more to send, in the same time; null if there is no more
   */
  sendDue(nowMs: number): number | null
}

export class SendClock {
  readonly #senders = new Set<ClockedSender>()
  #timer: NodeJS.Timeout | undefined

  /** Calls the sender from now on when it has something to send. */
  add(sender: ClockedSender): void {
    this.#senders.add(sender)
    this.#schedule(0)
  }

  remove(sender: ClockedSender): void {
    this.#senders.delete(sender)
    if (this.#senders.size === 0) clearTimeout(this.#timer)
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#run(), delayMs)
  }

  #run(): void {
    const nowMs = monotonicMs()
    let nextMs = Number.POSITIVE_INFINITY
    for (const sender of this.#senders) {
      const dueMs = sender.sendDue(nowMs)
      if (dueMs === null) this.#senders.delete(sender)
      else nextMs = Math.min(nextMs, dueMs)
    }
    if (this.#senders.size > 0) this.#schedule(Math.max(nextMs - monotonicMs(), 0))
  }
}
