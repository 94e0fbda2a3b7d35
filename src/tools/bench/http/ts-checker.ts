/** Checks an MPEG transport stream as a player gets it (ISO/IEC 13818-1), in place: packets are not copied. */
import { WeirError } from '../../../base/errors.ts'
import { packetBytes, packetHeaderBytes, patPid, streamTypes, syncByte } from '../../../media/ts/layout.ts'
import { findStamp, type Stamp } from '../stamp.ts'
import type { StreamChecker } from '../stream-checker.ts'
import type { MediaBody } from './media-body.ts'

/** What the packets of one identifier have said so far. */
interface Pid {
  readonly content: 'tables' | 'video' | 'audio' | 'other'
  /** Counts the packets that have a payload; null: not known, or it begins anew. */
  continuity: number | null
  /** DTS of the last PES packet, or its PTS; in units of 90 kHz. */
  time: number | null
}

const nullPid = 0x1fff
const maxTime = 2 ** 33
/** A stamp is the first unit of its picture, behind a delimiter and parameter sets. */
const pictureHeadBytes = 256
/** Of a PES packet: start code, stream id, length, flags and the length of what follows. */
const pesHeaderBytes = 9
const timeBytes = 5
/** Of a table, up to its tracks and their descriptors. */
const tableHeaderBytes = 12

const videoTypes: readonly number[] = [0x01, 0x02, streamTypes.h264, streamTypes.hevc]
const audioTypes: readonly number[] = [
  streamTypes.mpeg1Audio,
  streamTypes.mpeg2Audio,
  streamTypes.adtsAac,
  0x11,
  0x81,
]

/** Stamps are read into this, one after the other. */
const stamp: Stamp = { sequence: 0, sentMs: 0 }

export class TsChecker implements MediaBody {
  readonly #stream: StreamChecker
  readonly #pids = new Map<number, Pid>([[patPid, newPid('tables')]])
  /** The beginning of a packet whose end has not come. */
  readonly #packet = Buffer.allocUnsafe(packetBytes)
  #filled = 0
  /** The beginning of the picture that is coming. */
  readonly #picture = Buffer.allocUnsafe(pictureHeadBytes)
  #pictureFilled = 0
  #isPictureOpen = false
  /** The next picture is one that a decoder can begin with. */
  #beginsWithKey = false

  constructor(stream: StreamChecker) {
    this.#stream = stream
  }

  /**
   * A segment begins, and with it what a decoder can begin with.
   * @param goesOn whether it continues the one before, in time and in the packets' counters
   */
  beginSegment(goesOn: boolean): void {
    this.#beginsWithKey = true
    if (goesOn) return
    for (const pid of this.#pids.values()) {
      pid.continuity = null
      pid.time = null
    }
  }

  /** @throws WeirError TS_FORMAT when the segment ends within a packet */
  endSegment(nowMs: number): void {
    this.#endPicture(nowMs)
    if (this.#filled > 0)
      throw new WeirError('TS_FORMAT', `a segment ends after ${this.#filled} bytes of a packet`)
  }

  push(bytes: Buffer, start: number, end: number, nowMs: number): void {
    let at = start
    if (this.#filled > 0) {
      at = Math.min(end, start + packetBytes - this.#filled)
      this.#filled += bytes.copy(this.#packet, this.#filled, start, at)
      if (this.#filled < packetBytes) return
      this.#filled = 0
      this.#readPacket(this.#packet, 0, nowMs)
    }
    for (; at + packetBytes <= end; at += packetBytes) this.#readPacket(bytes, at, nowMs)
    this.#filled = bytes.copy(this.#packet, 0, at, end)
  }

  #readPacket(bytes: Buffer, at: number, nowMs: number): void {
    const second = bytes[at + 1]!
    const control = bytes[at + 3]!
    if (bytes[at] !== syncByte)
      throw new WeirError('TS_FORMAT', `a packet begins with ${bytes[at]}, not with 71`)
    if (second & 0x80) throw new WeirError('TS_FORMAT', 'a packet that says that it is broken')
    const number = ((second & 0x1f) << 8) | bytes[at + 2]!
    if (number === nullPid) return
    const hasAdaptation = (control & 0x20) !== 0
    const hasPayload = (control & 0x10) !== 0
    let payloadAt = at + packetHeaderBytes
    let flags = 0
    if (hasAdaptation) {
      const length = bytes[payloadAt]!
      if (length > packetBytes - packetHeaderBytes - 1)
        throw new WeirError('TS_FORMAT', 'an adaptation field beyond its packet')
      if (length > 0) flags = bytes[payloadAt + 1]!
      payloadAt += 1 + length
    }
    const pid = this.#pidOf(number)
    if ((flags & 0x80) !== 0) pid.continuity = null
    if (!hasPayload) return
    const isNext = this.#count(pid, control & 0x0f)
    // A packet may be sent twice (2.4.3.3).
    if (!isNext) return
    const isStart = (second & 0x40) !== 0
    const end = at + packetBytes
    if (pid.content === 'tables') {
      if (isStart) this.#readTable(number, bytes, payloadAt, end)
    } else if (pid.content !== 'other') {
      if (isStart) this.#beginPes(pid, bytes, payloadAt, end, (flags & 0x40) !== 0, nowMs)
      else if (pid.content === 'video' && this.#isPictureOpen)
        this.#addToPicture(bytes, payloadAt, end, nowMs)
    }
  }

  #pidOf(number: number): Pid {
    const known = this.#pids.get(number)
    if (known !== undefined) return known
    const pid = newPid('other')
    this.#pids.set(number, pid)
    return pid
  }

  /** @returns false for a packet that is there twice */
  #count(pid: Pid, continuity: number): boolean {
    const last = pid.continuity
    pid.continuity = continuity
    if (last === null || continuity === ((last + 1) & 0x0f)) return true
    if (continuity === last) return false
    this.#stream.onGap()
    return true
  }

  /** A table of tracks, or of where that is; both fit into a packet. */
  #readTable(number: number, bytes: Buffer, at: number, end: number): void {
    const sectionAt = at + 1 + bytes[at]!
    if (sectionAt + tableHeaderBytes > end) throw new WeirError('TS_FORMAT', 'a table without its header')
    const sectionEnd = Math.min(end, sectionAt + 3 + (bytes.readUInt16BE(sectionAt + 1) & 0x0fff)) - 4
    if (number === patPid) {
      for (let entry = sectionAt + 8; entry + 4 <= sectionEnd; entry += 4) {
        if (bytes.readUInt16BE(entry) !== 0)
          this.#setContent(bytes.readUInt16BE(entry + 2) & 0x1fff, 'tables')
      }
      return
    }
    let track = sectionAt + tableHeaderBytes + (bytes.readUInt16BE(sectionAt + 10) & 0x0fff)
    while (track + 5 <= sectionEnd) {
      const type = bytes[track]!
      const content = videoTypes.includes(type) ? 'video' : audioTypes.includes(type) ? 'audio' : 'other'
      this.#setContent(bytes.readUInt16BE(track + 1) & 0x1fff, content)
      track += 5 + (bytes.readUInt16BE(track + 3) & 0x0fff)
    }
  }

  #setContent(number: number, content: Pid['content']): void {
    const known = this.#pids.get(number)
    if (known?.content === content) return
    this.#pids.set(number, { ...newPid(content), continuity: known?.continuity ?? null })
  }

  #beginPes(pid: Pid, bytes: Buffer, at: number, end: number, isRandomAccess: boolean, nowMs: number): void {
    if (at + pesHeaderBytes > end || bytes.readUIntBE(at, 3) !== 1) {
      throw new WeirError('TS_FORMAT', 'a PES packet without its start code')
    }
    const timeFlags = bytes[at + 7]! >> 6
    const payloadAt = Math.min(at + pesHeaderBytes + bytes[at + 8]!, end)
    // The DTS, if there is one, is behind the PTS.
    const timeAt = at + pesHeaderBytes + (timeFlags === 3 ? timeBytes : 0)
    if (timeFlags >= 2 && timeAt + timeBytes <= end) this.#checkTime(pid, readTime(bytes, timeAt))
    if (pid.content === 'audio') {
      this.#stream.onAudio(nowMs)
      return
    }
    this.#endPicture(nowMs)
    this.#stream.onPicture(isRandomAccess || this.#beginsWithKey, nowMs)
    this.#beginsWithKey = false
    this.#isPictureOpen = true
    this.#addToPicture(bytes, payloadAt, end, nowMs)
  }

  #checkTime(pid: Pid, time: number): void {
    // Modulo 2^33: what is more than half of that ahead is behind.
    if (pid.time !== null && (time - pid.time + maxTime) % maxTime >= maxTime / 2) this.#stream.onTimeBack()
    pid.time = time
  }

  #addToPicture(bytes: Buffer, at: number, end: number, nowMs: number): void {
    this.#pictureFilled += bytes.copy(this.#picture, this.#pictureFilled, at, end)
    if (this.#pictureFilled === pictureHeadBytes) this.#endPicture(nowMs)
  }

  /** All of a picture has come, or enough of it. */
  #endPicture(nowMs: number): void {
    if (this.#isPictureOpen && findStamp(this.#picture, this.#pictureFilled, stamp))
      this.#stream.onStamp(stamp, nowMs)
    this.#isPictureOpen = false
    this.#pictureFilled = 0
  }
}

function newPid(content: Pid['content']): Pid {
  return { content, continuity: null, time: null }
}

/** The 33 bits of a PTS or DTS (2.4.3.7). */
function readTime(bytes: Buffer, at: number): number {
  const high = (bytes[at]! >> 1) & 0x07
  const middle = bytes.readUInt16BE(at + 1) >> 1
  const low = bytes.readUInt16BE(at + 3) >> 1
  return high * 2 ** 30 + middle * 2 ** 15 + low
}
