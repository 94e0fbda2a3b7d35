import { monotonicMs } from '../base/clock.ts'
import { Outage } from '../base/outage.ts'

/** For how long an origin that was down is asked last, in milliseconds: more with each time, up to a minute. */
const firstRestMs = 5000
const longestRestMs = 60_000

interface Down {
  readonly outage: Outage
  untilMs: number
}

/** In which order the origins of a virtual host are asked: in turn, and those that were down a moment ago last. */
export class OriginChoice {
  readonly #down = new Map<string, Down>()
  #turn = 0

  /** @returns all of them; what was noted of others is forgotten */
  order(origins: readonly string[]): string[] {
    for (const origin of this.#down.keys()) if (!origins.includes(origin)) this.#down.delete(origin)
    const start = this.#turn % Math.max(1, origins.length)
    this.#turn += 1
    const inTurn = [...origins.slice(start), ...origins.slice(0, start)]
    const nowMs = monotonicMs()
    const isDown = (origin: string): boolean => (this.#down.get(origin)?.untilMs ?? 0) > nowMs
    return [...inTurn.filter((origin) => !isDown(origin)), ...inTurn.filter(isDown)]
  }

  wasUp(origin: string): void {
    this.#down.delete(origin)
  }

  /** @returns whether that is worth a line of the log */
  wasDown(origin: string): boolean {
    const down = this.#down.get(origin) ?? { outage: new Outage(), untilMs: 0 }
    this.#down.set(origin, down)
    const nowMs = monotonicMs()
    const isToBeTold = down.outage.fail(nowMs)
    down.untilMs = nowMs + Math.min(longestRestMs, firstRestMs * 2 ** (down.outage.failures - 1))
    return isToBeTold
  }
}
