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
    const isCurrent = (): boolean => this.#asked.get(stream) === answer
    const answer: Promise<StreamOwner | null> = this.#ask(stream)
      .then((owner) => {
        if (isCurrent()) this.#remember(stream, owner)
        return owner
      })
      .finally(() => {
        if (isCurrent()) this.#asked.delete(stream)
      })
    this.#asked.set(stream, answer)
    return answer
  }

  /** Something has happened: answers that are on their way may be older than that. Null: to any stream. */
  changed(stream: string | null): void {
    if (stream === null) this.#asked.clear()
    else this.#asked.delete(stream)
  }

  #remember(stream: string, owner: StreamOwner | null): void {
    this.#known.delete(stream)
    if (owner === null) return
    const [oldest] = this.#known.keys()
    if (oldest !== undefined && this.#known.size >= maxKnown) this.#known.delete(oldest)
    this.#known.set(stream, owner)
  }
}
