/** RTMP message types (RTMP 1.0, section 5.4 and 7.1) and the shape that the chunk reader delivers. */

export const setChunkSizeType = 1
export const abortType = 2
export const acknowledgementType = 3
export const userControlType = 4
export const windowAckSizeType = 5
export const setPeerBandwidthType = 6
export const audioMessageType = 8
export const videoMessageType = 9
export const amf3DataType = 15
export const amf3SharedObjectType = 16
export const amf3CommandType = 17
export const amf0DataType = 18
export const amf0SharedObjectType = 19
export const amf0CommandType = 20
export const aggregateType = 22

/** One complete message, assembled from its chunks. */
export interface RtmpMessage {
  readonly type: number
  /** Milliseconds, 0 .. 2^32-1, as the peer sent it (deltas already added up modulo 2^32). */
  readonly timestamp: number
  /** Message stream id: 0 for the connection itself, else what createStream answered. */
  readonly streamId: number
  /** The reader's own memory, never a view of the bytes that were pushed: it may be kept. */
  readonly body: Buffer
}
