import { crc32Mpeg } from './crc32.ts'
import { audioPid, packetBytes, patPid, pmtPid, syncByte, videoPid } from './layout.ts'

/** The tables that say what a transport stream holds. Source: ISO/IEC 13818-1, 2.4.4. */

/** The elementary streams of a program, by their {@link streamTypes}; null: there is none. */
export interface ProgramStreams {
  readonly video: number | null
  readonly audio: number | null
}

const programNumber = 1
const transportStreamId = 1
const patTableId = 0
const pmtTableId = 2

/** Packet header and pointer field, in front of a section. */
const beforeSection = 5

/** A whole packet with the program association table; its continuity counter is 0. */
export function patPacket(): Buffer {
  const body = Buffer.alloc(4)
  body.writeUInt16BE(programNumber, 0)
  body.writeUInt16BE(0xe000 | pmtPid, 2)
  return tablePacket(patPid, patTableId, transportStreamId, 0, body)
}

/**
 * A whole packet with the program map table; its continuity counter is 0. The clock (PCR) goes with the video if
 * there is one.
 * @param version counts the changes, modulo 32
 */
export function pmtPacket(streams: ProgramStreams, version: number): Buffer {
  const body = Buffer.alloc(4 + (streams.video === null ? 0 : 5) + (streams.audio === null ? 0 : 5))
  body.writeUInt16BE(0xe000 | (streams.video === null ? audioPid : videoPid), 0)
  let at = body.writeUInt16BE(0xf000, 2)
  if (streams.video !== null) at = writeStream(body, at, streams.video, videoPid)
  if (streams.audio !== null) writeStream(body, at, streams.audio, audioPid)
  return tablePacket(pmtPid, pmtTableId, programNumber, version, body)
}

/** Type, packet identifier, and the length of descriptors, of which there are none. */
function writeStream(target: Buffer, at: number, streamType: number, pid: number): number {
  target.writeUInt8(streamType, at)
  target.writeUInt16BE(0xe000 | pid, at + 1)
  return target.writeUInt16BE(0xf000, at + 3)
}

function tablePacket(pid: number, tableId: number, id: number, version: number, body: Buffer): Buffer {
  const packet = Buffer.alloc(packetBytes, 0xff)
  packet[0] = syncByte
  packet.writeUInt16BE(0x4000 | pid, 1)
  packet[3] = 0x10
  packet[4] = 0
  packet[beforeSection] = tableId
  // What the length counts: five bytes more of the header, the body and the checksum.
  packet.writeUInt16BE(0xb000 | (5 + body.length + 4), beforeSection + 1)
  packet.writeUInt16BE(id, beforeSection + 3)
  // Version, in force now; the first of one sections.
  packet[beforeSection + 5] = 0xc1 | ((version & 0x1f) << 1)
  packet.writeUInt16BE(0, beforeSection + 6)
  body.copy(packet, beforeSection + 8)
  const end = beforeSection + 8 + body.length
  packet.writeUInt32BE(crc32Mpeg(packet.subarray(beforeSection, end)), end)
  return packet
}
