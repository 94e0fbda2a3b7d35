interface Running<T> {
  readonly current: Promise<T>
  /** Begins when the current one is done. */
  next: Promise<T> | null
}

/**
 * One inquiry of a kind at a time. Who asks the same meanwhile shares the next one: it begins after everybody asked that gets
 * its answer, so that nobody is told what was true before. However many ask, two of a kind are all that there is to do.
 */
export class SharedInquiries<T> {
  readonly #running = new Map<string, Running<T>>()

  /**
   * @param kind what is asked
   * @param inquire asks; not called when the answer is shared
   */
  ask(kind: string, inquire: () => Promise<T>): Promise<T> {
    const running = this.#running.get(kind)
    if (running === undefined) return this.#start(kind, inquire)
    if (running.next === null) {
      const start = (): Promise<T> => this.#start(kind, inquire)
      // Whether the one before failed is told to those who wait for it.
      running.next = running.current.then(start, start)
    }
    return running.next
  }

  #start(kind: string, inquire: () => Promise<T>): Promise<T> {
    const current = inquire()
    const running: Running<T> = { current, next: null }
    this.#running.set(kind, running)
    const end = (): void => {
      if (this.#running.get(kind) === running) this.#running.delete(kind)
    }
    current.then(end, end)
    return current
  }
}
