/** Something to start: a process that says when it has booted. */
export interface Startable {
  start(): void
}

/** How long what nobody waits for is put off, in milliseconds. */
export const putOffMs = 100

/**
 * How many may wait for each that boots. Twenty streams at once on two cores still get a process each, and the last of them
 * has it long before its publisher is given up, in a storm on one busy core too.
 */
const waitingForEach = 10

/**
 * Starts processes a few at a time. Each boot takes a core for a fifth of a second: started all at once, all are late
 * together. A spare is started a moment later than asked for: just now a stream has begun, whose first frames must not wait
 * for its boot.
 */
export class StartQueue<Item extends Startable> {
  readonly #atOnce: number
  readonly #starting = new Set<Item>()
  readonly #waiting = new Set<Item>()
  readonly #putOff = new Map<Item, NodeJS.Timeout>()

  /** @param atOnce how many may boot at the same time */
  constructor(atOnce: number) {
    this.#atOnce = atOnce
  }

  /** Whether one more would wait so long that doing without it is better. */
  get isFull(): boolean {
    return this.#waiting.size >= this.#atOnce * waitingForEach
  }

  /** Somebody waits for it: it is started as soon as there is room. What is started already is left alone. */
  start(item: Item): void {
    clearTimeout(this.#putOff.get(item))
    this.#putOff.delete(item)
    this.#waiting.add(item)
    this.#fill()
  }

  /** Nobody waits for it yet: it is started a moment later, unless {@link start} is called before. */
  startLater(item: Item): void {
    this.#putOff.set(
      item,
      setTimeout(() => this.start(item), putOffMs),
    )
  }

  /** It has booted, or is gone. */
  settled(item: Item): void {
    clearTimeout(this.#putOff.get(item))
    this.#putOff.delete(item)
    this.#waiting.delete(item)
    if (this.#starting.delete(item)) this.#fill()
  }

  /** Starts nothing more. */
  close(): void {
    for (const timer of this.#putOff.values()) clearTimeout(timer)
    this.#putOff.clear()
    this.#waiting.clear()
  }

  #fill(): void {
    for (const item of this.#waiting) {
      if (this.#starting.size >= this.#atOnce) return
      this.#waiting.delete(item)
      this.#starting.add(item)
      item.start()
    }
  }
}
