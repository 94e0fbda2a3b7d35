import { audioType, metadataFlag, type Packet, sequenceHeaderFlag, videoType } from '../media/packet.ts'

/**
 * What a decoder needs before the first frame: metadata and the sequence headers of video and audio. Every
 * place that lets somebody join a stream keeps these: the publisher's worker, the source, the broadcast.
 */
export class StreamHeaders {
  metadata: Packet | null = null
  video: Packet | null = null
  audio: Packet | null = null

  /** Keeps a packet if it is one of the three. */
  keep(packet: Packet): void {
    if (packet.flags & metadataFlag) this.metadata = packet
    else if (!(packet.flags & sequenceHeaderFlag)) return
    else if (packet.type === videoType) this.video = packet
    else if (packet.type === audioType) this.audio = packet
  }

  /** In the order in which a decoder wants them. */
  list(): Packet[] {
    return [this.metadata, this.video, this.audio].filter((packet) => packet !== null)
  }

  clear(): void {
    this.metadata = null
    this.video = null
    this.audio = null
  }
}
