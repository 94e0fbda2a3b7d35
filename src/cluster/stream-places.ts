import type { StreamOwner } from './owner.ts'

/** Streams whose owner is remembered. */
const maxKnown = 10_000

/** Where streams were found last. Who asks for one that is being asked for shares the answer. */
export class StreamPlaces {
  readonly #ask: (stream: string) => Promise<StreamOwner | null>
  readonly #known = new Map<string, StreamOwner>()
  readonly #asked = new Map<string, Promise<StreamOwner | null>>()

  constructor(ask: (stream: string) => Promise<StreamOwner | null>) {
    this.#ask = ask
  }

  /** The owner as it was last known; null: it was none, or never asked for. */
  last(stream: string): StreamOwner | null {
    return this.#known.get(stream) ?? null
  }

  /** Asks for the owner. It throws what asking does. */
  find(stream: string): Promise<StreamOwner | null> {
    const asked = this.#asked.get(stream)
    if (asked !== undefined) return asked
    const answer = this.#ask(stream)
      .then((owner) => {
        this.#remember(stream, owner)
        return owner
      })
      .finally(() => this.#asked.delete(stream))
    this.#asked.set(stream, answer)
    return answer
  }

  #remember(stream: string, owner: StreamOwner | null): void {
    this.#known.delete(stream)
    if (owner === null) return
    const [oldest] = this.#known.keys()
    if (oldest !== undefined && this.#known.size >= maxKnown) this.#known.delete(oldest)
    this.#known.set(stream, owner)
  }
}
