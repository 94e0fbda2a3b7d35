import type { AmfLimits } from './amf-input.ts'
import { type AmfRecord, asRecord } from './amf-value.ts'
import { amf0Marker } from './amf0-marker.ts'
import { Amf0Reader } from './amf0-reader.ts'

/**
 * Data messages and script tags: an AMF0 string that names the event, then its values.
 *
 * Sources: RTMP 1.0, 7.1.2 (data message); FLV E.4.4 (script tag) and E.5 (onMetaData).
 */

/** Longest event name that is looked at; those in use have less than 20 bytes. */
const maxNameBytes = 255

/** `@setDataFrame` as an AMF0 string: what an encoder puts before the name and values that players are to get. */
const setDataFrame = Buffer.concat([Buffer.of(amf0Marker.string, 0, 13), Buffer.from('@setDataFrame')])

/** The message that is meant for players: without a leading `@setDataFrame`, as a view of the same memory. */
export function unwrapSetDataFrame(body: Buffer): Buffer {
  const wrapped = body.subarray(0, setDataFrame.length).equals(setDataFrame)
  return wrapped ? body.subarray(setDataFrame.length) : body
}

/** The name of the event, or null if the body does not begin with a string of at most 255 bytes. Never throws. */
export function dataEventName(body: Buffer): string | null {
  if (body.length < 3 || body[0] !== amf0Marker.string) return null
  const length = body.readUInt16BE(1)
  if (length > maxNameBytes || length > body.length - 3) return null
  return body.toString('utf8', 3, 3 + length)
}

/** Whether the event sets the stream's metadata. */
export function isMetadata(name: string | null): boolean {
  return name === 'onMetaData'
}

/**
 * The named values of a data message, wrapped in `@setDataFrame` or not: the value behind the event's name.
 * @param limits those that differ from the default ones; a file with a long key-frame index needs more elements
 * @returns null if there is no such value, or it has no members
 * @throws AMF_TRUNCATED, AMF_MARKER, AMF_LIMIT, AMF_REFERENCE
 */
export function readMetadata(body: Buffer, limits: Partial<AmfLimits> = {}): AmfRecord | null {
  const message = unwrapSetDataFrame(body)
  const reader = new Amf0Reader(message, 0, message.length, limits)
  if (!reader.done) reader.readValue()
  return reader.done ? null : asRecord(reader.readValue())
}
