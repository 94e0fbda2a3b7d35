import { WeirError } from '../base/errors.ts'
import { AmfOutput } from './amf-output.ts'
import {
  type AmfComplex,
  AmfDate,
  AmfDictionary,
  AmfEcmaArray,
  AmfObject,
  type AmfTraits,
  type AmfValue,
  AmfVector,
  AmfXml,
  amfUnsupported,
} from './amf-value.ts'
import { amf3Marker } from './amf3-marker.ts'

const minInteger = -(2 ** 28)
const maxInteger = 2 ** 28 - 1
/** Numbers and lengths have 28 bits: the 29th tells them apart. */
const maxLength = 2 ** 28 - 1

/** Writes AMF3 values that share one set of reference tables. */
export class Amf3Writer {
  readonly #output: AmfOutput
  readonly #objects = new Map<AmfComplex, number>()
  readonly #strings = new Map<string, number>()
  readonly #traits = new Map<AmfTraits, number>()

  constructor(output: AmfOutput) {
    this.#output = output
  }

  /** @throws AMF_ENCODE */
  writeValue(value: AmfValue): void {
    const output = this.#output
    if (value === undefined || value === amfUnsupported) {
      output.u8(amf3Marker.undefined)
    } else if (value === null) {
      output.u8(amf3Marker.null)
    } else if (typeof value === 'boolean') {
      output.u8(value ? amf3Marker.true : amf3Marker.false)
    } else if (typeof value === 'number') {
      this.#writeNumber(value)
    } else if (typeof value === 'string') {
      output.u8(amf3Marker.string)
      this.#writeString(value)
    } else {
      this.#writeObject(value)
    }
  }

  #writeNumber(value: number): void {
    if (Number.isInteger(value) && value >= minInteger && value <= maxInteger && !Object.is(value, -0)) {
      this.#output.u8(amf3Marker.integer)
      this.#writeU29(value & 0x1fffffff)
    } else {
      this.#output.u8(amf3Marker.double)
      this.#output.f64(value)
    }
  }

  #writeObject(value: AmfComplex): void {
    const output = this.#output
    output.u8(markerOf(value))
    const index = this.#objects.get(value)
    if (index !== undefined) {
      this.#writeU29(index << 1)
      return
    }
    this.#objects.set(value, this.#objects.size)
    if (value instanceof AmfDate) {
      this.#writeInline(0)
      output.f64(value.time)
    } else if (value instanceof AmfXml) {
      this.#writeText(value.text)
    } else if (value instanceof Uint8Array) {
      this.#writeInline(value.length)
      output.raw(value)
    } else if (value instanceof AmfObject) {
      this.#writeInstance(value)
    } else if (value instanceof AmfVector) {
      this.#writeVector(value)
    } else if (value instanceof AmfDictionary) {
      this.#writeInline(value.size)
      output.u8(value.weakKeys ? 1 : 0)
      for (const [key, item] of value) {
        this.writeValue(key)
        this.writeValue(item)
      }
    } else {
      this.#writeArray(value)
    }
  }

  #writeArray(value: AmfValue[] | AmfEcmaArray): void {
    const items = value instanceof AmfEcmaArray ? value.dense : value
    this.#writeInline(items.length)
    if (value instanceof AmfEcmaArray) {
      for (const [name, member] of value) this.#writeMember(name, member)
    }
    this.#writeString('')
    for (const item of items) this.writeValue(item)
  }

  #writeMember(name: string, value: AmfValue): void {
    // An empty name is what ends the members.
    if (name === '') throw new WeirError('AMF_ENCODE', 'an AMF3 member without a name')
    this.#writeString(name)
    this.writeValue(value)
  }

  #writeInstance(value: AmfObject): void {
    const { traits } = value
    this.#writeTraits(traits)
    for (const name of traits.sealed) this.writeValue(value.get(name))
    const sealed = new Set(traits.sealed)
    for (const [name, member] of value) {
      if (sealed.has(name)) continue
      if (!traits.dynamic) {
        throw new WeirError('AMF_ENCODE', `AMF3 class "${traits.className}" has no member "${name}"`)
      }
      this.#writeMember(name, member)
    }
    if (traits.dynamic) this.#writeString('')
  }

  #writeTraits(traits: AmfTraits): void {
    const index = this.#traits.get(traits)
    if (index !== undefined) {
      this.#writeU29((index << 2) | 1)
      return
    }
    this.#traits.set(traits, this.#traits.size)
    this.#writeU29((traits.sealed.length << 4) | (traits.dynamic ? 0b1011 : 0b0011))
    this.#writeString(traits.className)
    for (const name of traits.sealed) this.#writeString(name)
  }

  #writeVector(value: AmfVector): void {
    const output = this.#output
    this.#writeInline(value.items.length)
    output.u8(value.fixed ? 1 : 0)
    if (value.kind === 'object') {
      this.#writeString(value.className)
      for (const item of value.items) this.writeValue(item)
      return
    }
    for (const item of value.items) {
      if (value.kind === 'double' && typeof item === 'number') output.f64(item)
      else if (value.kind === 'int' && isInteger(item, -(2 ** 31), 2 ** 31 - 1)) output.i32(item)
      else if (value.kind === 'uint' && isInteger(item, 0, 2 ** 32 - 1)) output.u32(item)
      else throw new WeirError('AMF_ENCODE', `${String(item)} in an AMF3 vector of ${value.kind}`)
    }
  }

  /** A string, or the number of an equal one that was written before; the empty one has no number (1.3.2). */
  #writeString(text: string): void {
    const index = this.#strings.get(text)
    if (index !== undefined) {
      this.#writeU29(index << 1)
      return
    }
    if (text !== '') this.#strings.set(text, this.#strings.size)
    this.#writeText(text)
  }

  #writeText(text: string): void {
    const length = Buffer.byteLength(text)
    this.#writeInline(length)
    this.#output.text(text, length)
  }

  /** The header of something that is written in full. */
  #writeInline(lengthOrCount: number): void {
    if (lengthOrCount > maxLength) throw new WeirError('AMF_ENCODE', `an AMF3 length of ${lengthOrCount}`)
    this.#writeU29((lengthOrCount << 1) | 1)
  }

  /** 7 bits a byte, the top bit set on all but the last; a fourth byte has 8 (1.3.1). */
  #writeU29(value: number): void {
    const output = this.#output
    if (value >= 1 << 21) {
      output.u8(0x80 | (value >> 22))
      output.u8(0x80 | ((value >> 15) & 0x7f))
      output.u8(0x80 | ((value >> 8) & 0x7f))
      output.u8(value & 0xff)
      return
    }
    if (value >= 1 << 14) output.u8(0x80 | (value >> 14))
    if (value >= 1 << 7) output.u8(0x80 | ((value >> 7) & 0x7f))
    output.u8(value & 0x7f)
  }
}

function isInteger(value: AmfValue, min: number, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
}

const vectorMarkers = {
  int: amf3Marker.vectorInt,
  uint: amf3Marker.vectorUint,
  double: amf3Marker.vectorDouble,
  object: amf3Marker.vectorObject,
} as const

function markerOf(value: AmfComplex): number {
  if (value instanceof AmfDate) return amf3Marker.date
  if (value instanceof AmfXml) return value.kind === 'e4x' ? amf3Marker.xml : amf3Marker.xmlDocument
  if (value instanceof Uint8Array) return amf3Marker.byteArray
  if (value instanceof AmfObject) return amf3Marker.object
  if (value instanceof AmfVector) return vectorMarkers[value.kind]
  if (value instanceof AmfDictionary) return amf3Marker.dictionary
  return amf3Marker.array
}

/**
 * Encodes AMF3 values. The time zone of a date is lost, and what AMF0 calls unsupported becomes undefined:
 * AMF3 has neither.
 * @throws AMF_ENCODE for an empty member name, a member that a sealed class does not have, an item of a vector
 * that is not of its kind, a length above 2^28 - 1
 */
export function encodeAmf3(...values: AmfValue[]): Buffer {
  const output = new AmfOutput()
  const writer = new Amf3Writer(output)
  for (const value of values) writer.writeValue(value)
  return output.finish()
}
