import type { BatchMuxer } from '../live/broadcast.ts'
import { audioType, type Packet, videoType } from '../media/packet.ts'
import type { StreamFormat } from '../pull/pulled-stream.ts'
import {
  audioChunkStream,
  dataChunkStream,
  videoChunkStream,
  wireSize,
  writeMessage,
} from '../rtmp/chunk-writer.ts'

/**
 * RTMP as players get it that have the same chunk size and play on the same message stream: nearly all.
 * @param chunkSize our outgoing chunk size, as announced to these players
 * @param streamId the message stream id they play on; nearly always 1
 */
export function rtmpFormat(chunkSize: number, streamId: number): StreamFormat {
  return { key: `rtmp ${chunkSize} ${streamId}`, createMuxer: () => new RtmpMuxer(chunkSize, streamId) }
}

/** Puts packets into RTMP chunks that every player with the same chunk size and message stream id can share. */
export class RtmpMuxer implements BatchMuxer {
  readonly #chunkSize: number
  readonly #streamId: number

  /**
   * @param chunkSize our outgoing chunk size, as announced to these players
   * @param streamId the message stream id they play on; nearly always 1
   */
  constructor(chunkSize: number, streamId: number) {
    this.#chunkSize = chunkSize
    this.#streamId = streamId
  }

  sizeOf(bodyLength: number, timestamp: number): number {
    // All three chunk streams have one-byte ids: the size is the same for each.
    return wireSize(videoChunkStream, bodyLength, timestamp, this.#chunkSize)
  }

  write(target: Buffer, at: number, packet: Packet, timestamp: number): number {
    const { type, body } = packet
    const chunkStream =
      type === videoType ? videoChunkStream : type === audioType ? audioChunkStream : dataChunkStream
    return writeMessage(
      target,
      at,
      chunkStream,
      type,
      this.#streamId,
      timestamp,
      body,
      0,
      body.length,
      this.#chunkSize,
    )
  }
}
