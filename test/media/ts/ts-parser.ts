/**
 * A small parser of MPEG transport streams, written against ISO/IEC 13818-1 and nothing of the muxer's. It throws at
 * everything that a strict decoder would complain about.
 */

/** One PES packet put together. Times are in units of 90 kHz, as they are in the stream. */
export interface Pes {
  readonly pid: number
  readonly streamId: number
  readonly pts: number
  readonly dts: number
  readonly data: Buffer
  readonly randomAccess: boolean
  /** Number of the transport-stream packet that it begins in. */
  readonly packet: number
}

export interface ElementaryStream {
  readonly pid: number
  readonly type: number
}

/** A program map table, where it came. */
export interface ProgramMap {
  readonly version: number
  readonly clockPid: number
  readonly streams: readonly ElementaryStream[]
  readonly packet: number
}

export interface Clock {
  readonly pid: number
  readonly base: number
  readonly packet: number
}

export interface TransportStream {
  readonly packets: number
  /** Numbers of the packets that a program association table is in. */
  readonly pats: readonly number[]
  readonly pmts: readonly ProgramMap[]
  readonly clocks: readonly Clock[]
  readonly pes: readonly Pes[]
  /** The next continuity counter of each packet identifier. */
  readonly counters: ReadonlyMap<number, number>
}

const size = 188

/** The checksum bit by bit (annex A); over a section with its checksum it is 0. */
function crc(bytes: Buffer): number {
  let value = 0xffffffff
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit -= 1) {
      const top = ((value >>> 31) & 1) ^ ((byte >> bit) & 1)
      value = (value << 1) >>> 0
      if (top === 1) value = (value ^ 0x04c11db7) >>> 0
    }
  }
  return value
}

function check(condition: boolean, packet: number, what: string): void {
  if (!condition) throw new Error(`packet ${packet}: ${what}`)
}

interface OpenPes {
  readonly pid: number
  readonly parts: Buffer[]
  readonly randomAccess: boolean
  readonly packet: number
}

/**
 * @param counters the continuity counters that another part of the stream ended with
 * @throws Error that names the packet and what is wrong with it
 */
export function parseTs(bytes: Buffer, counters: ReadonlyMap<number, number> = new Map()): TransportStream {
  if (bytes.length % size !== 0) throw new Error(`${bytes.length} bytes are no whole packets`)
  const next = new Map(counters)
  const pats: number[] = []
  const pmts: ProgramMap[] = []
  const clocks: Clock[] = []
  const pes: Pes[] = []
  const open = new Map<number, OpenPes>()
  let pmtPid = -1
  const close = (pid: number): void => {
    const found = open.get(pid)
    if (found !== undefined) pes.push(readPes(found))
    open.delete(pid)
  }
  for (let at = 0, packet = 0; at < bytes.length; at += size, packet += 1) {
    const header = bytes.readUInt32BE(at)
    check(header >>> 24 === 0x47, packet, 'no sync byte')
    check((header & 0x800000) === 0, packet, 'transport error')
    const isStart = (header & 0x400000) !== 0
    const pid = (header >> 8) & 0x1fff
    check((header & 0xc0) === 0, packet, 'scrambled')
    const hasField = (header & 0x20) !== 0
    const hasPayload = (header & 0x10) !== 0
    const expected = next.get(pid)
    const counter = header & 0x0f
    if (expected !== undefined) {
      const wanted = hasPayload ? expected : (expected + 15) & 15
      check(counter === wanted, packet, `continuity counter ${counter} of ${pid}, not ${wanted}`)
    }
    if (hasPayload) next.set(pid, (counter + 1) & 15)
    let payloadAt = at + 4
    let randomAccess = false
    if (hasField) {
      const length = bytes.readUInt8(at + 4)
      check(hasPayload ? length <= 182 : length === 183, packet, `adaptation field of ${length} bytes`)
      payloadAt += 1 + length
      if (length > 0) {
        const flags = bytes.readUInt8(at + 5)
        check((flags & ~0x50) === 0, packet, `adaptation flags ${flags.toString(16)}`)
        randomAccess = (flags & 0x40) !== 0
        let fieldAt = at + 6
        if (flags & 0x10) {
          const base = bytes.readUInt32BE(fieldAt) * 2 + (bytes.readUInt8(fieldAt + 4) >> 7)
          check((bytes.readUInt16BE(fieldAt + 4) & 0x7fff) === 0x7e00, packet, 'clock reference')
          clocks.push({ pid, base, packet })
          fieldAt += 6
        }
        const stuffing = bytes.subarray(fieldAt, payloadAt)
        check(fieldAt <= payloadAt, packet, 'the adaptation field is too short for what is in it')
        check(
          stuffing.every((byte) => byte === 0xff),
          packet,
          'stuffing',
        )
      }
    }
    check(hasPayload || hasField, packet, 'neither adaptation field nor payload')
    if (!hasPayload) continue
    const payload = bytes.subarray(payloadAt, at + size)
    if (pid === 0 || pid === pmtPid) {
      check(isStart, packet, 'a table without its start')
      const section = readSection(payload, packet)
      if (pid === 0) {
        pats.push(packet)
        check(section.length === 16 && section.readUInt8(0) === 0, packet, 'program association table')
        pmtPid = section.readUInt16BE(10) & 0x1fff
      } else pmts.push(readProgramMap(section, packet))
      continue
    }
    const known = pmts.at(-1)?.streams.some((stream) => stream.pid === pid) ?? false
    check(known, packet, `no program map table has ${pid}`)
    if (isStart) {
      close(pid)
      open.set(pid, { pid, parts: [payload], randomAccess, packet })
    } else {
      const begun = open.get(pid)
      check(begun !== undefined, packet, `${pid} goes on where nothing began`)
      begun?.parts.push(payload)
    }
  }
  for (const pid of [...open.keys()]) close(pid)
  pes.sort((a, b) => a.packet - b.packet)
  return { packets: bytes.length / size, pats, pmts, clocks, pes, counters: next }
}

function readSection(payload: Buffer, packet: number): Buffer {
  check(payload.readUInt8(0) === 0, packet, 'pointer field')
  const length = payload.readUInt16BE(2) & 0x0fff
  check((payload.readUInt16BE(2) & 0xf000) === 0xb000, packet, 'section syntax')
  const section = payload.subarray(1, 1 + 3 + length)
  check(crc(section) === 0, packet, 'checksum of a table')
  const rest = payload.subarray(1 + 3 + length)
  check(
    rest.every((byte) => byte === 0xff),
    packet,
    'bytes behind a table',
  )
  return section
}

function readProgramMap(section: Buffer, packet: number): ProgramMap {
  check(section.readUInt8(0) === 2, packet, 'program map table')
  const version = (section.readUInt8(5) >> 1) & 0x1f
  check((section.readUInt8(5) & 1) === 1, packet, 'a table that is not in force')
  const clockPid = section.readUInt16BE(8) & 0x1fff
  let at = 12 + (section.readUInt16BE(10) & 0x0fff)
  const streams: ElementaryStream[] = []
  while (at < section.length - 4) {
    streams.push({ type: section.readUInt8(at), pid: section.readUInt16BE(at + 1) & 0x1fff })
    at += 5 + (section.readUInt16BE(at + 3) & 0x0fff)
  }
  check(at === section.length - 4, packet, 'length of a program map table')
  return { version, clockPid, streams, packet }
}

function readPes({ pid, parts, randomAccess, packet }: OpenPes): Pes {
  const bytes = Buffer.concat(parts)
  check(bytes.readUIntBE(0, 3) === 1, packet, 'start code of a PES packet')
  const streamId = bytes.readUInt8(3)
  const length = bytes.readUInt16BE(4)
  const isVideo = (streamId & 0xf0) === 0xe0
  check(
    length === 0 ? isVideo : length + 6 === bytes.length,
    packet,
    `length ${length} of ${bytes.length - 6}`,
  )
  check((bytes.readUInt8(6) & 0xc0) === 0x80, packet, 'marker of a PES header')
  const flags = bytes.readUInt8(7)
  check(flags === 0x80 || flags === 0xc0, packet, `flags ${flags.toString(16)} of a PES header`)
  const headerLength = bytes.readUInt8(8)
  check(headerLength === (flags === 0xc0 ? 10 : 5), packet, 'length of a PES header')
  const pts = readTime(bytes, 9, flags === 0xc0 ? 3 : 2, packet)
  const dts = flags === 0xc0 ? readTime(bytes, 14, 1, packet) : pts
  const data = bytes.subarray(9 + headerLength)
  return { pid, streamId, pts, dts, data, randomAccess, packet }
}

function readTime(bytes: Buffer, at: number, marker: number, packet: number): number {
  const [a, b, c, d, e] = bytes.subarray(at, at + 5)
  if (a === undefined || b === undefined || c === undefined || d === undefined || e === undefined) {
    throw new Error(`packet ${packet}: a time stamp is cut off`)
  }
  check(a >> 4 === marker && (a & c & e & 1) === 1, packet, 'marker of a time stamp')
  return ((a >> 1) & 7) * 2 ** 30 + (b << 22) + ((c >> 1) << 15) + (d << 7) + (e >> 1)
}

/** The difference a - b of two times that count modulo 2^33. */
export function ticksBetween(a: number, b: number): number {
  const wrap = 2 ** 33
  const delta = (((a - b) % wrap) + wrap) % wrap
  return delta >= wrap / 2 ? delta - wrap : delta
}

/** The frames of ADTS data. */
export function parseAdts(data: Buffer): { header: Buffer; frame: Buffer }[] {
  const frames: { header: Buffer; frame: Buffer }[] = []
  let at = 0
  while (at < data.length) {
    if ((data.readUInt16BE(at) & 0xfff6) !== 0xfff0) throw new Error(`no ADTS header at ${at}`)
    const length = ((data.readUInt32BE(at + 3) >>> 13) & 0x1fff) >>> 0
    if (length < 7 || at + length > data.length) throw new Error(`ADTS frame of ${length} bytes at ${at}`)
    frames.push({ header: data.subarray(at, at + 7), frame: data.subarray(at + 7, at + length) })
    at += length
  }
  return frames
}

/** The NAL units of Annex B data. */
export function parseAnnexB(data: Buffer): Buffer[] {
  const code = Buffer.of(0, 0, 1)
  const units: Buffer[] = []
  for (let at = data.indexOf(code); at >= 0; ) {
    const next = data.indexOf(code, at + code.length)
    const end = next < 0 ? data.length : data[next - 1] === 0 ? next - 1 : next
    units.push(data.subarray(at + code.length, end))
    at = next
  }
  return units
}
