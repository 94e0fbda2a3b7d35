/** The right to do what only so many may do at once. */
export interface Turn {
  /** To be called once. */
  end(): void
}

/** Lets only so many do something at once; others wait in the order of their coming, up to a number. */
export class Turns {
  readonly #max: number
  readonly #maxWaiting: number
  readonly #waiting = new Set<() => void>()
  #taken = 0

  constructor(max: number, maxWaiting: number) {
    this.#max = max
    this.#maxWaiting = maxWaiting
  }

  /**
   * @param signal ends the wait
   * @returns null if too many wait, or the wait was ended
   */
  take(signal: AbortSignal): Promise<Turn | null> {
    if (signal.aborted) return Promise.resolve(null)
    if (this.#taken < this.#max) return Promise.resolve(this.#begin())
    if (this.#waiting.size >= this.#maxWaiting) return Promise.resolve(null)
    return new Promise((resolve) => {
      const giveUp = (): void => {
        this.#waiting.delete(begin)
        resolve(null)
      }
      const begin = (): void => {
        signal.removeEventListener('abort', giveUp)
        resolve(this.#begin())
      }
      signal.addEventListener('abort', giveUp, { once: true })
      this.#waiting.add(begin)
    })
  }

  #begin(): Turn {
    this.#taken += 1
    return { end: () => this.#end() }
  }

  #end(): void {
    this.#taken -= 1
    const [next] = this.#waiting
    if (next === undefined) return
    this.#waiting.delete(next)
    next()
  }
}
