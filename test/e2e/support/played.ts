import { createHash } from 'node:crypto'
import { readFlvFile } from '../../../src/client/flv-file.ts'
import { isHeader, isKeyFrame, type Packet, type PacketType, videoType } from '../../../src/media/packet.ts'

/** What a test keeps of a packet that was sent or played: enough to see that two are the same bytes. */
export interface Seen {
  readonly type: PacketType
  readonly key: boolean
  /** Metadata or a sequence header. */
  readonly header: boolean
  readonly timestamp: number
  readonly sizeBytes: number
  readonly md5: string
}

export function seen(packet: Packet): Seen {
  return {
    type: packet.type,
    key: isKeyFrame(packet),
    header: isHeader(packet),
    timestamp: packet.timestamp,
    sizeBytes: packet.body.length,
    md5: createHash('md5').update(packet.body).digest('hex'),
  }
}

/** The packets of an FLV file. */
export async function seenInFile(file: string): Promise<Seen[]> {
  const packets: Seen[] = []
  for await (const packet of readFlvFile(file)) packets.push(seen(packet))
  return packets
}

/** The audio and video frames among packets. */
export function framesOf(packets: readonly Seen[]): Seen[] {
  return packets.filter(({ header }) => !header)
}

/** The checksums of frames, in order: what is the same whatever the server did to the timestamps. */
export function contentOf(packets: readonly Seen[]): string[] {
  return framesOf(packets).map(({ md5 }) => md5)
}

/** The frames from the first key frame on. */
export function fromKeyFrame(packets: readonly Seen[]): Seen[] {
  const all = framesOf(packets)
  const begin = all.findIndex(({ key }) => key)
  return begin < 0 ? [] : all.slice(begin)
}

/** The packets from a certain frame on; all of them if it is not there. */
export function fromFrame(packets: readonly Seen[], { md5 }: Seen): Seen[] {
  return packets.slice(
    Math.max(
      0,
      packets.findIndex((packet) => packet.md5 === md5),
    ),
  )
}

/** The steps from each frame's timestamp to the next one's, in milliseconds. */
export function stepsOf(packets: readonly Seen[]): number[] {
  const times = framesOf(packets).map(({ timestamp }) => timestamp)
  return times.slice(1).map((time, index) => time - times[index]!)
}

/** The first video frame. */
export function firstVideo(packets: readonly Seen[]): Seen | undefined {
  return framesOf(packets).find(({ type }) => type === videoType)
}

/**
 * Where played frames stand among those that were sent.
 * @throws Error when one was never sent
 */
export function placesOf(played: readonly Seen[], sent: readonly Seen[]): number[] {
  const places = new Map(contentOf(sent).map((md5, index) => [md5, index]))
  return framesOf(played).map(({ md5, timestamp }) => {
    const place = places.get(md5)
    if (place === undefined) throw new Error(`the frame at ${timestamp} ms was never sent`)
    return place
  })
}

/** The frames behind which some that were sent are missing (or come again), as `[place, next place]`. */
export function gapsIn(played: readonly Seen[], sent: readonly Seen[]): [number, number][] {
  const places = placesOf(played, sent)
  return places
    .slice(1)
    .map((place, index): [number, number] => [places[index]!, place])
    .filter(([before, place]) => place !== before + 1)
}
