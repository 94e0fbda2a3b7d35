import { WeirError } from '../base/errors.ts'
import type { AmfCost, AmfInput } from './amf-input.ts'

interface Entry<T> {
  value: T
  cost: AmfCost
}

/**
 * What a body has sent so far and may refer to by number: AMF0's complex objects (2.9), AMF3's objects,
 * strings and traits (2.2).
 *
 * A container can only be referred to after its end. AMF would allow a reference from inside, that is a
 * cycle, but no RTMP client sends one, and without them every decoded value is finite for whoever walks it.
 */
export class AmfReferences<T> {
  readonly #input: AmfInput
  readonly #entries: (Entry<T> | null)[] = []

  constructor(input: AmfInput) {
    this.#input = input
  }

  /** Reads a container with `read` under the next number. */
  container<U extends T>(read: () => U): U {
    const index = this.#entries.push(null) - 1
    const entry = this.#input.container(read)
    this.#entries[index] = entry
    return entry.value
  }

  /** Keeps something that contains no other value under the next number. `bytes`: of its text, 0 if it has none. */
  leaf<U extends T>(value: U, bytes: number): U {
    this.#entries.push({ value, cost: { elements: 0, bytes, height: 0 } })
    return value
  }

  /** @throws AMF_REFERENCE if nothing has this number, or it is still being read */
  resolve(index: number): T {
    const entry = this.#entries[index]
    if (!entry) throw new WeirError('AMF_REFERENCE', `AMF reference ${index} of ${this.#entries.length}`)
    this.#input.repeat(entry.cost)
    return entry.value
  }
}
