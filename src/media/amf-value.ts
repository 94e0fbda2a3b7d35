/**
 * AMF0 and AMF3 values as one set of JavaScript types: whatever a reader of either format returns, a writer of
 * the same format sends again with the same meaning.
 *
 * What has no counterpart of its own in JavaScript is a class here. Two things are not told apart, because no
 * peer can tell either: a short string in AMF0's long form, and an AMF3 integer sent as a double.
 *
 * Sources: Adobe "Action Message Format -- AMF 0" and "-- AMF 3".
 */

/** Any value. An array is a strict (AMF0) or dense (AMF3) array; a `Uint8Array` is an AMF3 ByteArray. */
export type AmfValue = undefined | null | boolean | number | string | typeof amfUnsupported | AmfComplex

/** The values that have an identity. */
export type AmfComplex =
  | AmfDate
  | AmfXml
  | Uint8Array
  | AmfValue[]
  | AmfObject
  | AmfEcmaArray
  | AmfVector
  | AmfDictionary

/** What an AMF0 sender writes for a value that it cannot express (AMF0 2.15). AMF3 has no such value: it sends undefined. */
export const amfUnsupported: unique symbol = Symbol('AMF unsupported')

/** A point in time (AMF0 2.13, AMF3 3.9). Not a `Date`: that has no zone, and refuses times that AMF can carry. */
export class AmfDate {
  /** Milliseconds since 1970-01-01 UTC. */
  readonly time: number
  /** Minutes, -32768 .. 32767. Senders should write 0, receivers should ignore it; AMF3 has none. */
  readonly timeZone: number

  constructor(time: number, timeZone = 0) {
    this.time = time
    this.timeZone = timeZone
  }
}

/** An XML text: `document` is the older flash.xml.XMLDocument (AMF0 2.17, AMF3 3.7), `e4x` AMF3's XML (3.12). */
export class AmfXml {
  readonly text: string
  readonly kind: 'document' | 'e4x'

  constructor(text: string, kind: 'document' | 'e4x' = 'document') {
    this.text = text
    this.kind = kind
  }
}

/** What the objects of one class share (AMF3 3.12). AMF0 knows the class name only. */
export interface AmfTraits {
  /** Empty for an anonymous object. */
  readonly className: string
  /** Members that every object of the class has, sent once for all of them. */
  readonly sealed: readonly string[]
  /** Whether an object may have members beside the sealed ones. */
  readonly dynamic: boolean
}

export const anonymousTraits: AmfTraits = { className: '', sealed: [], dynamic: true }

/**
 * An object: its members in the order they were sent; of two with one name the last counts. A `Map`, so that a
 * member called `__proto__` is nothing special and `"2"` does not move before `"b"`.
 */
export class AmfObject extends Map<string, AmfValue> {
  readonly traits: AmfTraits

  constructor(members?: Iterable<readonly [string, AmfValue]>, traits: AmfTraits = anonymousTraits) {
    super(members)
    this.traits = traits
  }
}

/** An associative array (AMF0 2.10). In AMF3 such an array can have a dense part too (3.11). */
export class AmfEcmaArray extends Map<string, AmfValue> {
  readonly dense: AmfValue[]

  constructor(members?: Iterable<readonly [string, AmfValue]>, dense: AmfValue[] = []) {
    super(members)
    this.dense = dense
  }
}

/** An AMF3 vector (3.15). The items of all kinds but `object` are numbers. */
export class AmfVector {
  readonly kind: 'int' | 'uint' | 'double' | 'object'
  readonly items: AmfValue[]
  /** Whether the receiver may not change its length. */
  readonly fixed: boolean
  /** Class of the items of an `object` vector; empty for any class. */
  readonly className: string

  constructor(kind: AmfVector['kind'], items: AmfValue[], fixed = false, className = '') {
    this.kind = kind
    this.items = items
    this.fixed = fixed
    this.className = className
  }
}

/** An AMF3 dictionary (3.16): keys are any value, objects by identity. */
export class AmfDictionary extends Map<AmfValue, AmfValue> {
  readonly weakKeys: boolean

  constructor(entries?: Iterable<readonly [AmfValue, AmfValue]>, weakKeys = false) {
    super(entries)
    this.weakKeys = weakKeys
  }
}

/** What has named members: connect arguments and metadata come as either. */
export type AmfRecord = AmfObject | AmfEcmaArray

/** An anonymous object of `members`. (A literal moves keys that look like integers to the front.) */
export function amfObject(members: Record<string, AmfValue>): AmfObject {
  return new AmfObject(Object.entries(members))
}

/** An associative array of `members`. (A literal moves keys that look like integers to the front.) */
export function amfEcmaArray(members: Record<string, AmfValue>): AmfEcmaArray {
  return new AmfEcmaArray(Object.entries(members))
}

/** The value if it is a string, else null. */
export function asString(value: AmfValue): string | null {
  return typeof value === 'string' ? value : null
}

/** The value if it is a number, else null. */
export function asNumber(value: AmfValue): number | null {
  return typeof value === 'number' ? value : null
}

/** The value if it has named members, else null. */
export function asRecord(value: AmfValue): AmfRecord | null {
  return value instanceof AmfObject || value instanceof AmfEcmaArray ? value : null
}

/** The member `key` of `value` if that has one and it is a string, else null. */
export function getString(value: AmfValue, key: string): string | null {
  return asString(asRecord(value)?.get(key))
}

/** The member `key` of `value` if that has one and it is a number, else null. */
export function getNumber(value: AmfValue, key: string): number | null {
  return asNumber(asRecord(value)?.get(key))
}
