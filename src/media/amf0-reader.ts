import { WeirError } from '../base/errors.ts'
import { AmfInput, type AmfLimits } from './amf-input.ts'
import { AmfReferences } from './amf-references.ts'
import {
  AmfDate,
  AmfEcmaArray,
  AmfObject,
  type AmfRecord,
  type AmfTraits,
  type AmfValue,
  AmfXml,
  amfUnsupported,
} from './amf-value.ts'
import { amf0Marker } from './amf0-marker.ts'
import { Amf3Reader } from './amf3-reader.ts'

/** Reads the AMF0 values of one body, one after the other. After a throw it cannot go on. */
export class Amf0Reader {
  readonly #input: AmfInput
  readonly #objects: AmfReferences<AmfRecord | AmfValue[]>
  #amf3: Amf3Reader | null = null

  /**
   * @param start offset of the first value
   * @param end offset behind the last one
   * @param limits those that differ from the default ones; they hold for all values together
   */
  constructor(bytes: Buffer, start = 0, end = bytes.length, limits: Partial<AmfLimits> = {}) {
    this.#input = new AmfInput(bytes, start, end, limits)
    this.#objects = new AmfReferences(this.#input)
  }

  get done(): boolean {
    return this.#input.done
  }

  /** Offset of the next value. */
  get position(): number {
    return this.#input.position
  }

  /** @throws AMF_TRUNCATED, AMF_MARKER, AMF_LIMIT, AMF_REFERENCE */
  readValue(): AmfValue {
    const input = this.#input
    const marker = input.u8()
    input.addElements(1)
    switch (marker) {
      case amf0Marker.number:
        return input.f64()
      case amf0Marker.boolean:
        return input.u8() !== 0
      case amf0Marker.string:
        return input.text(input.u16())
      case amf0Marker.object:
        return this.#objects.container(() => new AmfObject(this.#readMembers()))
      case amf0Marker.null:
        return null
      case amf0Marker.undefined:
        return undefined
      case amf0Marker.reference:
        return this.#objects.resolve(input.u16())
      case amf0Marker.ecmaArray:
        return this.#readEcmaArray()
      case amf0Marker.strictArray:
        return this.#readStrictArray()
      case amf0Marker.date:
        return new AmfDate(input.f64(), input.i16())
      case amf0Marker.longString:
        return input.text(input.u32())
      case amf0Marker.unsupported:
        return amfUnsupported
      case amf0Marker.xmlDocument:
        return new AmfXml(input.text(input.u32()))
      case amf0Marker.typedObject:
        return this.#readTypedObject()
      case amf0Marker.avmPlus:
        this.#amf3 ??= new Amf3Reader(input)
        return this.#amf3.readValue()
      default:
        throw new WeirError('AMF_MARKER', `AMF0 marker ${marker} at ${input.position - 1}`)
    }
  }

  /** Members up to the end marker (2.5). An empty name without that marker behind it is a name like any other. */
  #readMembers(): Map<string, AmfValue> {
    const input = this.#input
    const members = new Map<string, AmfValue>()
    for (;;) {
      const name = input.text(input.u16())
      if (name === '' && input.peek() === amf0Marker.objectEnd) {
        input.u8()
        return members
      }
      members.set(name, this.readValue())
    }
  }

  #readEcmaArray(): AmfEcmaArray {
    // The count is a hint that encoders get wrong (0 is common); the end marker decides.
    this.#input.u32()
    return this.#objects.container(() => new AmfEcmaArray(this.#readMembers()))
  }

  #readStrictArray(): AmfValue[] {
    const count = this.#input.u32()
    this.#input.requireElements(count)
    return this.#objects.container(() => {
      const items: AmfValue[] = []
      while (items.length < count) items.push(this.readValue())
      return items
    })
  }

  #readTypedObject(): AmfObject {
    const className = this.#input.text(this.#input.u16())
    const traits: AmfTraits = { className, sealed: [], dynamic: true }
    return this.#objects.container(() => new AmfObject(this.#readMembers(), traits))
  }
}

/**
 * All AMF0 values of a body.
 * @throws AMF_TRUNCATED (also if only the last value is cut off), AMF_MARKER, AMF_LIMIT, AMF_REFERENCE
 */
export function decodeAmf0(bytes: Buffer, limits: Partial<AmfLimits> = {}): AmfValue[] {
  return readAll(new Amf0Reader(bytes, 0, bytes.length, limits))
}

/**
 * All values of the body of an AMF3 command or data message (RTMP types 17 and 15): in spite of the name it is
 * a byte that names the format, always 0, and AMF0 values, each of which may switch to AMF3 for itself.
 * @throws AMF_MARKER if the first byte is not 0, and what {@link decodeAmf0} throws
 */
export function decodeAmf3Command(body: Buffer, limits: Partial<AmfLimits> = {}): AmfValue[] {
  const format = body[0]
  if (format === undefined) throw new WeirError('AMF_TRUNCATED', 'AMF3 message of 0 bytes')
  if (format !== 0) throw new WeirError('AMF_MARKER', `AMF3 message that begins with ${format}`)
  return readAll(new Amf0Reader(body, 1, body.length, limits))
}

function readAll(reader: Amf0Reader): AmfValue[] {
  const values: AmfValue[] = []
  while (!reader.done) values.push(reader.readValue())
  return values
}
