/** A value in memory. */
interface Entry<V> {
  readonly value: V
  readonly bytes: number
  usedAtMs: number
}

/**
 * Values that take work to make, within a bound of bytes: who asks for one that is being made waits for that work, and
 * those that nobody asked for longest are let go first.
 */
export class SharedCache<V> {
  readonly #maxBytes: number
  readonly #sizeOf: (value: V) => number
  /** The one used longest ago first. */
  readonly #entries = new Map<string, Entry<V>>()
  readonly #works = new Map<string, Promise<V>>()
  #bytes = 0

  constructor(maxBytes: number, sizeOf: (value: V) => number) {
    this.#maxBytes = maxBytes
    this.#sizeOf = sizeOf
  }

  /** Bytes in memory. */
  get bytes(): number {
    return this.#bytes
  }

  /** The value of a key. @param make makes it; when that fails, it is made again for who asks next */
  get(key: string, nowMs: number, make: () => Promise<V>): Promise<V> {
    const entry = this.#entries.get(key)
    if (entry !== undefined) {
      entry.usedAtMs = nowMs
      this.#entries.delete(key)
      this.#entries.set(key, entry)
      return Promise.resolve(entry.value)
    }
    let work = this.#works.get(key)
    if (work === undefined) {
      work = this.#make(key, nowMs, make)
      this.#works.set(key, work)
    }
    return work
  }

  /** Lets go what nobody has asked for since. */
  forgetBefore(timeMs: number): void {
    for (const [key, { usedAtMs }] of this.#entries) if (usedAtMs < timeMs) this.#forget(key)
  }

  async #make(key: string, nowMs: number, make: () => Promise<V>): Promise<V> {
    try {
      const value = await make()
      this.#keep(key, { value, bytes: this.#sizeOf(value), usedAtMs: nowMs })
      return value
    } finally {
      this.#works.delete(key)
    }
  }

  #keep(key: string, entry: Entry<V>): void {
    if (entry.bytes > this.#maxBytes) return
    this.#entries.set(key, entry)
    this.#bytes += entry.bytes
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes) break
      this.#forget(oldest)
    }
  }

  #forget(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#bytes -= entry.bytes
  }
}
