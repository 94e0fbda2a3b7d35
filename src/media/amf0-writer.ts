import { WeirError } from '../base/errors.ts'
import { AmfOutput } from './amf-output.ts'
import {
  type AmfComplex,
  AmfDate,
  AmfDictionary,
  AmfEcmaArray,
  AmfObject,
  type AmfRecord,
  type AmfValue,
  AmfVector,
  AmfXml,
  amfUnsupported,
} from './amf-value.ts'
import { amf0Marker } from './amf0-marker.ts'
import { Amf3Writer } from './amf3-writer.ts'

const maxShort = 0xffff

/** Writes the AMF0 values of one body. */
class Amf0Writer {
  readonly #output = new AmfOutput()
  readonly #references = new Map<AmfRecord | AmfValue[], number>()
  #amf3: Amf3Writer | null = null

  writeValue(value: AmfValue): void {
    const output = this.#output
    if (value === undefined) {
      output.u8(amf0Marker.undefined)
    } else if (value === null) {
      output.u8(amf0Marker.null)
    } else if (value === amfUnsupported) {
      output.u8(amf0Marker.unsupported)
    } else if (typeof value === 'boolean') {
      output.u8(amf0Marker.boolean)
      output.u8(value ? 1 : 0)
    } else if (typeof value === 'number') {
      output.u8(amf0Marker.number)
      output.f64(value)
    } else if (typeof value === 'string') {
      this.#writeString(value)
    } else {
      this.#writeObject(value)
    }
  }

  finish(): Buffer {
    return this.#output.finish()
  }

  #writeObject(value: AmfComplex): void {
    const output = this.#output
    if (value instanceof Uint8Array || value instanceof AmfVector || value instanceof AmfDictionary) {
      this.#writeAmf3(value)
    } else if (losesInAmf0(value)) {
      this.#writeAmf3(value)
    } else if (value instanceof AmfDate) {
      output.u8(amf0Marker.date)
      output.f64(value.time)
      output.i16(value.timeZone)
    } else if (value instanceof AmfXml) {
      output.u8(amf0Marker.xmlDocument)
      this.#writeLongText(value.text)
    } else if (!this.#writeReference(value)) {
      this.#writeContainer(value)
    }
  }

  #writeAmf3(value: AmfValue): void {
    this.#output.u8(amf0Marker.avmPlus)
    this.#amf3 ??= new Amf3Writer(this.#output)
    this.#amf3.writeValue(value)
  }

  /** Writes the number of an object that was written before (2.9); else gives it the next number. */
  #writeReference(value: AmfRecord | AmfValue[]): boolean {
    const index = this.#references.get(value)
    if (index === undefined) {
      this.#references.set(value, this.#references.size)
      return false
    }
    // Numbers have 16 bits: what came later is written in full again.
    if (index > maxShort) return false
    this.#output.u8(amf0Marker.reference)
    this.#output.u16(index)
    return true
  }

  #writeContainer(value: AmfRecord | AmfValue[]): void {
    const output = this.#output
    if (Array.isArray(value)) {
      output.u8(amf0Marker.strictArray)
      output.u32(value.length)
      for (const item of value) this.writeValue(item)
      return
    }
    if (value instanceof AmfEcmaArray) {
      output.u8(amf0Marker.ecmaArray)
      output.u32(value.size)
    } else if (value.traits.className !== '') {
      output.u8(amf0Marker.typedObject)
      this.#writeShortText(value.traits.className)
    } else {
      output.u8(amf0Marker.object)
    }
    for (const [name, member] of value) {
      this.#writeShortText(name)
      this.writeValue(member)
    }
    output.u16(0)
    output.u8(amf0Marker.objectEnd)
  }

  #writeString(text: string): void {
    if (Buffer.byteLength(text) > maxShort) {
      this.#output.u8(amf0Marker.longString)
      this.#writeLongText(text)
    } else {
      this.#output.u8(amf0Marker.string)
      this.#writeShortText(text)
    }
  }

  #writeShortText(text: string): void {
    const length = Buffer.byteLength(text)
    if (length > maxShort) throw new WeirError('AMF_ENCODE', `an AMF0 name of ${length} bytes`)
    this.#output.u16(length)
    this.#output.text(text, length)
  }

  #writeLongText(text: string): void {
    const length = Buffer.byteLength(text)
    this.#output.u32(length)
    this.#output.text(text, length)
  }
}

/** Whether AMF0's form of the value says less than the value (what is inside of it is asked for on its own). */
function losesInAmf0(value: AmfDate | AmfXml | AmfRecord | AmfValue[]): boolean {
  if (value instanceof AmfObject) return value.traits.sealed.length > 0 || !value.traits.dynamic
  if (value instanceof AmfEcmaArray) return value.dense.length > 0
  return value instanceof AmfXml && value.kind === 'e4x'
}

/**
 * Encodes a body of AMF0 values. One that AMF0 has no form for is written as AMF3, behind the marker for that.
 * @throws AMF_ENCODE for a name of more than 65535 bytes, and what {@link encodeAmf3} throws
 */
export function encodeAmf0(...values: AmfValue[]): Buffer {
  const writer = new Amf0Writer()
  for (const value of values) writer.writeValue(value)
  return writer.finish()
}
