/** A file of media in memory, made ready for many publishers that send it again and again. */
import { WeirError } from '../../base/errors.ts'
import { readFlvFile } from '../../client/flv-file.ts'
import { parseAvcConfig } from '../../media/avc.ts'
import { isEndOfSequence } from '../../media/end-of-sequence.ts'
import { audioType, decoderConfig, isHeader, type Packet, videoType } from '../../media/packet.ts'
import { isStampable, withStamp } from './stamp.ts'

export interface Clip {
  /** Metadata and sequence headers before the first frame: sent once. */
  readonly headers: readonly Packet[]
  /** All that follows, from time 0 on: sent in each round. */
  readonly frames: readonly ClipFrame[]
  /** From the first frame to that of the next round, in ms. */
  readonly durationMs: number
}

export interface ClipFrame {
  readonly packet: Packet
  /** The body has room for a stamp, which each publisher fills before it sends. */
  readonly stamped: boolean
}

/**
 * Reads a clip into memory.
 * @param stamp makes room for a stamp in each picture
 * @throws WeirError FLV_FORMAT (also if there is no frame in it), BENCH_OPTION if it cannot be stamped;
 *   the system's error when the file cannot be read
 */
export async function readClip(path: string, stamp: boolean): Promise<Clip> {
  const packets: Packet[] = []
  for await (const packet of readFlvFile(path)) if (!isEndOfSequence(packet)) packets.push(packet)
  const first = packets.findIndex((packet) => !isHeader(packet))
  if (first < 0) throw new WeirError('FLV_FORMAT', `${path} has no frames`)
  if (stamp) checkStampable(path, packets)
  const startMs = packets[first]!.timestamp
  const frames = packets.slice(first).map((packet): ClipFrame => {
    const timestamp = Math.max(packet.timestamp - startMs, 0)
    const stamped = stamp && isStampable(packet)
    const body = stamped ? withStamp(packet.body) : packet.body
    return { packet: { ...packet, timestamp, body }, stamped }
  })
  const headers = packets.slice(0, first).map((packet) => ({ ...packet, timestamp: 0 }))
  return { headers, frames, durationMs: durationOf(frames.map(({ packet }) => packet)) }
}

/** What a stamp has in front of it. */
const stampLengthBytes = 4

function checkStampable(path: string, packets: readonly Packet[]): void {
  if (!packets.some(isStampable)) {
    throw new WeirError('BENCH_OPTION', `--stamp: ${path} has no H.264 pictures to put stamps into`)
  }
  for (const { type, body } of packets) {
    const config = type === videoType ? decoderConfig(type, body) : null
    if (config === null) continue
    const { nalLengthBytes } = parseAvcConfig(config)
    if (nalLengthBytes === stampLengthBytes) continue
    throw new WeirError('BENCH_OPTION', `--stamp: NAL lengths of ${path} have ${nalLengthBytes} bytes, not 4`)
  }
}

/** The last packet is followed by the first as the first is by the next of its type. */
function durationOf(frames: readonly Packet[]): number {
  const pictures = frames.filter(({ type }) => type === videoType)
  const paced = pictures.length > 1 ? pictures : frames.filter(({ type }) => type === audioType)
  const lastMs = frames.reduce((last, { timestamp }) => Math.max(last, timestamp), 0)
  const pacedMs = (paced.at(-1)?.timestamp ?? 0) - (paced[0]?.timestamp ?? 0)
  const stepMs = paced.length > 1 ? Math.round(pacedMs / (paced.length - 1)) : 0
  return lastMs + Math.max(stepMs, 1)
}
