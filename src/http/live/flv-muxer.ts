import type { BatchMuxer } from '../../live/broadcast.ts'
import type { FlvContent } from '../../media/flv/tag.ts'
import { flvHeader, tagSize, writeTag } from '../../media/flv/writer.ts'
import { metadataFlag, type Packet } from '../../media/packet.ts'

/** Puts packets into FLV tags that every player can share. */
export class FlvMuxer implements BatchMuxer {
  sizeOf(bodyLength: number): number {
    return tagSize(bodyLength)
  }

  write(target: Buffer, at: number, packet: Packet, timestamp: number): number {
    const { type, body } = packet
    // As in a file. ffmpeg takes metadata with another time for the first line of a subtitle track.
    const time = packet.flags & metadataFlag ? 0 : timestamp
    return writeTag(target, at, type, time, body, 0, body.length)
  }
}

/** The file headers there are, by what they announce: players share these too. */
const fileHeaders = {
  both: flvHeader({ audio: true, video: true }),
  audio: flvHeader({ audio: true, video: false }),
  video: flvHeader({ audio: false, video: true }),
}

/** The file header of a stream. What announces neither audio nor video has had nothing yet: both may come. */
export function flvFileHeader({ audio, video }: FlvContent): Buffer {
  return audio === video ? fileHeaders.both : audio ? fileHeaders.audio : fileHeaders.video
}
