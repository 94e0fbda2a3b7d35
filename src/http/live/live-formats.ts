import type { VhostConfig } from '../../config/config.ts'
import type { BatchMuxer } from '../../live/broadcast.ts'
import type { StreamContent, StreamFormat } from '../../pull/pulled-stream.ts'
import { FlvMuxer, flvFileHeader } from './flv-muxer.ts'
import { encodeFrame, opcode, WebSocketMuxer } from './websocket.ts'

/** The endings of mounts, which say what a stream is sent as. */
export const liveKinds = ['flv'] as const
export type LiveKind = (typeof liveKinds)[number]

/** How a viewer is connected. */
export type Carrier = 'http' | 'ws'

/** One way to watch a stream. */
export interface LiveFormat {
  /** `http-flv`, `ws-flv`: for logs and the API. */
  readonly name: string
  readonly contentType: string
  readonly stream: StreamFormat
  /** Whether a viewer has to wait until it is known whether the stream has audio and video. */
  readonly needsContent: boolean
  /** What a viewer gets before anything of the stream; empty: nothing. */
  firstBytes(content: StreamContent): Buffer
}

/** The way in which a virtual host's settings say that a stream is sent. */
export function liveFormat(kind: LiveKind, carrier: Carrier, vhost: VhostConfig): LiveFormat {
  const { guessHasAv, hasAudio, hasVideo, dropIfNotMatch } = vhost.httpRemux
  const configured: StreamContent = { audio: hasAudio, video: hasVideo }
  // What was guessed leaves nothing out: the guess may be wrong, and all viewers share the bytes.
  const kept = guessHasAv || !dropIfNotMatch ? { audio: true, video: true } : configured
  return {
    name: `${carrier}-${kind}`,
    contentType: 'video/x-flv',
    stream: carried(carrier, `flv ${kept.audio} ${kept.video}`, () => new FlvMuxer(kept)),
    needsContent: guessHasAv,
    firstBytes: (content) => {
      const header = flvFileHeader(guessHasAv ? content : configured)
      return carrier === 'ws' ? encodeFrame(opcode.binary, header) : header
    },
  }
}

function carried(carrier: Carrier, key: string, createMuxer: () => BatchMuxer): StreamFormat {
  return {
    key: `${carrier} ${key}`,
    createMuxer: () => (carrier === 'ws' ? new WebSocketMuxer(createMuxer()) : createMuxer()),
  }
}
