import { WeirError } from '../base/errors.ts'
import { AmfInput, type AmfLimits } from './amf-input.ts'
import { AmfReferences } from './amf-references.ts'
import {
  AmfDate,
  AmfDictionary,
  AmfEcmaArray,
  AmfObject,
  type AmfTraits,
  type AmfValue,
  AmfVector,
  AmfXml,
} from './amf-value.ts'
import { amf3Marker } from './amf3-marker.ts'

/**
 * Reads AMF3 values that share one set of reference tables: those of a body, or those inside one AMF0 body.
 * After a throw it cannot go on.
 */
export class Amf3Reader {
  readonly #input: AmfInput
  readonly #objects: AmfReferences<AmfValue>
  readonly #strings: AmfReferences<string>
  readonly #traits: AmfReferences<AmfTraits>

  constructor(input: AmfInput) {
    this.#input = input
    this.#objects = new AmfReferences(input)
    this.#strings = new AmfReferences(input)
    this.#traits = new AmfReferences(input)
  }

  /** @throws AMF_TRUNCATED, AMF_MARKER (also for an externalizable object), AMF_LIMIT, AMF_REFERENCE */
  readValue(): AmfValue {
    const input = this.#input
    const marker = input.u8()
    input.addElements(1)
    switch (marker) {
      case amf3Marker.undefined:
        return undefined
      case amf3Marker.null:
        return null
      case amf3Marker.false:
        return false
      case amf3Marker.true:
        return true
      case amf3Marker.integer:
        // The 29 bits are two's complement: move the sign to bit 31 and back.
        return (this.#readU29() << 3) >> 3
      case amf3Marker.double:
        return input.f64()
      case amf3Marker.string:
        return this.#readString()
      case amf3Marker.xmlDocument:
        return this.#readObject((length) => this.#objects.leaf(new AmfXml(input.text(length)), length))
      case amf3Marker.xml:
        return this.#readObject((length) => this.#objects.leaf(new AmfXml(input.text(length), 'e4x'), length))
      case amf3Marker.byteArray:
        return this.#readObject((length) => this.#objects.leaf(input.raw(length), length))
      case amf3Marker.date:
        return this.#readObject(() => this.#objects.leaf(new AmfDate(input.f64()), 0))
      case amf3Marker.array:
        return this.#readObject((count) => this.#readArray(count))
      case amf3Marker.object:
        return this.#readObject((bits) => this.#readInstance(bits))
      case amf3Marker.vectorInt:
        return this.#readObject((count) => this.#readNumberVector('int', count, () => input.i32()))
      case amf3Marker.vectorUint:
        return this.#readObject((count) => this.#readNumberVector('uint', count, () => input.u32()))
      case amf3Marker.vectorDouble:
        return this.#readObject((count) => this.#readNumberVector('double', count, () => input.f64()))
      case amf3Marker.vectorObject:
        return this.#readObject((count) => this.#readObjectVector(count))
      case amf3Marker.dictionary:
        return this.#readObject((count) => this.#readDictionary(count))
      default:
        throw new WeirError('AMF_MARKER', `AMF3 marker ${marker} at ${input.position - 1}`)
    }
  }

  /** 7 bits a byte while the top bit is set, but all 8 of the fourth byte (1.3.1). */
  #readU29(): number {
    let value = 0
    for (let count = 0; count < 3; count += 1) {
      const byte = this.#input.u8()
      value = (value << 7) | (byte & 0x7f)
      if (byte < 0x80) return value
    }
    return (value << 8) | this.#input.u8()
  }

  /** Either a string, which gets the next number unless it is empty, or the number of an earlier one (1.3.2). */
  #readString(): string {
    const header = this.#readU29()
    if ((header & 1) === 0) return this.#strings.resolve(header >> 1)
    const length = header >> 1
    const text = this.#input.text(length)
    return length === 0 ? text : this.#strings.leaf(text, length)
  }

  /** Either the number of an earlier object, or an object that `read` reads, given the other 28 bits. */
  #readObject<T extends AmfValue>(read: (bits: number) => T): AmfValue {
    const header = this.#readU29()
    return (header & 1) === 0 ? this.#objects.resolve(header >> 1) : read(header >> 1)
  }

  /** Named members first, up to an empty name, then `count` items (3.11). */
  #readArray(count: number): AmfValue[] | AmfEcmaArray {
    this.#input.requireElements(count)
    return this.#objects.container(() => {
      const members = this.#readMembers(new Map())
      const items = this.#readItems(count)
      return members.size === 0 ? items : new AmfEcmaArray(members, items)
    })
  }

  #readItems(count: number): AmfValue[] {
    const items: AmfValue[] = []
    while (items.length < count) items.push(this.readValue())
    return items
  }

  #readMembers(members: Map<string, AmfValue>): Map<string, AmfValue> {
    for (let name = this.#readString(); name !== ''; name = this.#readString()) {
      members.set(name, this.readValue())
    }
    return members
  }

  /** Traits, sealed members in the order of the traits, dynamic members (3.12). */
  #readInstance(bits: number): AmfObject {
    return this.#objects.container(() => {
      const traits = this.#readTraits(bits)
      const members = new Map<string, AmfValue>()
      for (const name of traits.sealed) members.set(name, this.readValue())
      if (traits.dynamic) this.#readMembers(members)
      return new AmfObject(members, traits)
    })
  }

  #readTraits(bits: number): AmfTraits {
    if ((bits & 1) === 0) return this.#traits.resolve(bits >> 1)
    // Only code of the class itself knows the length of an externalizable object.
    if (bits & 2) throw new WeirError('AMF_MARKER', `externalizable AMF3 object at ${this.#input.position}`)
    const dynamic = (bits & 4) !== 0
    const sealedCount = bits >> 3
    this.#input.requireElements(sealedCount)
    const className = this.#readString()
    const sealed: string[] = []
    while (sealed.length < sealedCount) sealed.push(this.#readString())
    const bytes = sealed.reduce((sum, name) => sum + Buffer.byteLength(name), Buffer.byteLength(className))
    return this.#traits.leaf({ className, sealed, dynamic }, bytes)
  }

  #readNumberVector(kind: 'int' | 'uint' | 'double', count: number, readItem: () => number): AmfVector {
    return this.#objects.container(() => {
      this.#input.addElements(count)
      const fixed = this.#input.u8() !== 0
      const items: number[] = []
      while (items.length < count) items.push(readItem())
      return new AmfVector(kind, items, fixed)
    })
  }

  #readObjectVector(count: number): AmfVector {
    this.#input.requireElements(count)
    return this.#objects.container(() => {
      const fixed = this.#input.u8() !== 0
      const className = this.#readString()
      return new AmfVector('object', this.#readItems(count), fixed, className)
    })
  }

  #readDictionary(count: number): AmfDictionary {
    this.#input.requireElements(2 * count)
    return this.#objects.container(() => {
      const dictionary = new AmfDictionary([], this.#input.u8() !== 0)
      for (let index = 0; index < count; index += 1) {
        const key = this.readValue()
        dictionary.set(key, this.readValue())
      }
      return dictionary
    })
  }
}

/**
 * All AMF3 values of `bytes`.
 * @throws AMF_TRUNCATED, AMF_MARKER, AMF_LIMIT, AMF_REFERENCE
 */
export function decodeAmf3(bytes: Buffer, limits: Partial<AmfLimits> = {}): AmfValue[] {
  const input = new AmfInput(bytes, 0, bytes.length, limits)
  const reader = new Amf3Reader(input)
  const values: AmfValue[] = []
  while (!input.done) values.push(reader.readValue())
  return values
}
