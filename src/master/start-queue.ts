/** Something to start: a process that says when it has booted. */
export interface Startable {
  start(): void
}

/** How long what nobody waits for is put off, in milliseconds. */
export const putOffMs = 100

/**
 * The longest that something waits for its start, in milliseconds: many clients give up after ten seconds. Twenty streams
 * at once on two idle cores have all booted by then.
 */
export const maxWaitMs = 5000

/**
 * Starts processes a few at a time. Each boot takes a core for a fifth of a second: started all at once, all are late
 * together. A spare is started a moment later than asked for: just now a stream has begun, whose first frames must not wait
 * for its boot.
 */
export class StartQueue<Item extends Startable> {
  readonly #atOnce: number
  readonly #onLate: (item: Item, isFirst: boolean) => void
  readonly #starting = new Set<Item>()
  /** With what ends the wait of each; null: nobody waits for it. */
  readonly #waiting = new Map<Item, NodeJS.Timeout | null>()
  readonly #putOff = new Map<Item, NodeJS.Timeout>()
  #isLate = false

  /**
   * @param atOnce how many may boot at the same time
   * @param onLate called with what has waited for {@link maxWaitMs}: it is not started any more; `isFirst`: all before it
   *   came in time
   */
  constructor(atOnce: number, onLate: (item: Item, isFirst: boolean) => void) {
    this.#atOnce = atOnce
    this.#onLate = onLate
  }

  /** More is asked for than can be started: something came too late, and others wait still. */
  get isLate(): boolean {
    return this.#isLate
  }

  /** Somebody waits for it: it is started as soon as there is room. What is started already is left alone. */
  start(item: Item): void {
    clearTimeout(this.#putOff.get(item))
    this.#putOff.delete(item)
    if (this.#starting.has(item) || this.#waiting.get(item)) return
    const giveUp = (): void => {
      const isFirst = !this.#isLate
      this.#isLate = true
      this.#leave(item)
      this.#onLate(item, isFirst)
    }
    this.#waiting.set(item, setTimeout(giveUp, maxWaitMs))
    this.#fill()
  }

  /** Nobody waits for it yet: it is started a moment later, unless {@link start} is called before. */
  startLater(item: Item): void {
    this.#putOff.set(
      item,
      setTimeout(() => {
        this.#putOff.delete(item)
        this.#waiting.set(item, null)
        this.#fill()
      }, putOffMs),
    )
  }

  /** It has booted, or is gone. */
  settled(item: Item): void {
    clearTimeout(this.#putOff.get(item))
    this.#putOff.delete(item)
    this.#leave(item)
    if (this.#starting.delete(item)) this.#fill()
  }

  /** Starts nothing more. */
  close(): void {
    for (const timer of this.#putOff.values()) clearTimeout(timer)
    for (const timer of this.#waiting.values()) if (timer !== null) clearTimeout(timer)
    this.#putOff.clear()
    this.#waiting.clear()
  }

  #fill(): void {
    for (const item of this.#waiting.keys()) {
      if (this.#starting.size >= this.#atOnce) return
      this.#leave(item)
      this.#starting.add(item)
      item.start()
    }
  }

  #leave(item: Item): void {
    const timer = this.#waiting.get(item)
    if (timer) clearTimeout(timer)
    this.#waiting.delete(item)
    if (this.#waiting.size === 0) this.#isLate = false
  }
}
