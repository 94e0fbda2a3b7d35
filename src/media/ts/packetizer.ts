import {
  audioPid,
  packetBytes,
  packetHeaderBytes,
  patPid,
  payloadBytes,
  pmtPid,
  syncByte,
  type TsSink,
  videoPid,
} from './layout.ts'
import type { Pieces } from './pieces.ts'
import { writeClockReference } from './time-stamps.ts'

/** An adaptation field with nothing but its flags, and one with a clock reference; each with its length byte. */
const flagsFieldBytes = 2
const clockFieldBytes = 8

/** Bits of an adaptation field's flags. */
const randomAccessBit = 0x40
const clockReferenceBit = 0x10

/** Bits of the last byte of a packet's header. */
const hasAdaptationField = 0x20
const hasPayload = 0x10

/**
 * Cuts PES packets into transport-stream packets and counts those of each identifier. The counters go on as long as
 * the packetizer lives, whatever is written in between.
 */
export class Packetizer {
  readonly #counters = new Map([patPid, pmtPid, videoPid, audioPid].map((pid) => [pid, 0]))

  /** Writes a table: a whole packet whose continuity counter is 0. */
  writeTable(sink: TsSink, pid: number, packet: Buffer): void {
    const target = sink.reserve(packetBytes)
    const at = sink.length
    packet.copy(target, at)
    target[at + 3] = hasPayload | this.#count(pid)
    sink.advance(at + packetBytes)
  }

  /** Writes a packet that has a clock reference and no payload, which is not counted (2.4.3.3). */
  writeClock(sink: TsSink, pid: number, clock: number): void {
    const target = sink.reserve(packetBytes)
    const at = sink.length
    const last = ((this.#counters.get(pid) ?? 0) - 1) & 0x0f
    this.#writeHeader(target, at, pid, false, hasAdaptationField | last)
    this.#writeField(target, at + packetHeaderBytes, payloadBytes, clockReferenceBit, clock)
    sink.advance(at + packetBytes)
  }

  /**
   * Writes a PES packet.
   * @param pes with its header
   * @param clock the clock reference it begins with, in units of 90 kHz; -1: none
   * @param randomAccess whether a decoder can begin here
   */
  writePes(sink: TsSink, pid: number, pes: Pieces, clock: number, randomAccess: boolean): void {
    const fieldBytes = clock >= 0 ? clockFieldBytes : randomAccess ? flagsFieldBytes : 0
    const target = sink.reserve(packetsOf(pes.bytes, fieldBytes) * packetBytes)
    let at = sink.length
    let left = pes.bytes
    const flags = (randomAccess ? randomAccessBit : 0) | (clock >= 0 ? clockReferenceBit : 0)
    for (let isFirst = true; left > 0; isFirst = false) {
      const needed = isFirst ? fieldBytes : 0
      const size = Math.min(left, payloadBytes - needed)
      const field = payloadBytes - size
      const control = field > 0 ? hasAdaptationField | hasPayload : hasPayload
      this.#writeHeader(target, at, pid, isFirst, control | this.#count(pid))
      if (field > 0) {
        this.#writeField(target, at + packetHeaderBytes, field, isFirst ? flags : 0, isFirst ? clock : -1)
      }
      pes.copyTo(target, at + packetBytes - size, size)
      left -= size
      at += packetBytes
    }
    sink.advance(at)
  }

  #writeHeader(target: Buffer, at: number, pid: number, isStart: boolean, control: number): void {
    target[at] = syncByte
    target[at + 1] = (isStart ? 0x40 : 0) | (pid >> 8)
    target[at + 2] = pid & 0xff
    target[at + 3] = control
  }

  /** Writes an adaptation field of that many bytes, its length byte among them; what is not needed is stuffing. */
  #writeField(target: Buffer, at: number, bytes: number, flags: number, clock: number): void {
    target[at] = bytes - 1
    if (bytes === 1) return
    target[at + 1] = flags
    let next = at + 2
    if (clock >= 0) next = writeClockReference(target, next, clock)
    target.fill(0xff, next, at + bytes)
  }

  #count(pid: number): number {
    const counter = this.#counters.get(pid) ?? 0
    this.#counters.set(pid, (counter + 1) & 0x0f)
    return counter
  }
}

/** How many packets a PES packet takes when the first has an adaptation field of that many bytes. */
export function packetsOf(pesBytes: number, fieldBytes: number): number {
  return Math.ceil((pesBytes + fieldBytes) / payloadBytes)
}
