import type { VhostConfig } from '../../config/config.ts'
import type { BatchMuxer } from '../../live/broadcast.ts'
import { audioType, codecName, type Packet, videoType } from '../../media/packet.ts'
import { TsBatchMuxer } from '../../media/ts/batch-muxer.ts'
import type { StreamContent, StreamFormat } from '../../pull/pulled-stream.ts'
import { AudioMuxer } from './audio-muxer.ts'
import { FlvMuxer, flvFileHeader } from './flv-muxer.ts'
import { encodeFrame, opcode, WebSocketMuxer } from './websocket.ts'

/** The endings of mounts, which say what a stream is sent as. */
export const liveKinds = ['flv', 'ts', 'aac', 'mp3'] as const
export type LiveKind = (typeof liveKinds)[number]

/** How a viewer is connected. */
export type Carrier = 'http' | 'ws'

/** One way to watch a stream. */
export interface LiveFormat {
  /** `http-flv`, `ws-flv`: for logs and the API. */
  readonly name: string
  readonly contentType: string
  readonly stream: StreamFormat
  /** What has to be known of the stream before a viewer is answered. */
  readonly awaits: 'nothing' | 'audio' | 'audio and video'
  /** The codec without which there is nothing to send; null: it takes what there is. */
  readonly audioCodec: 'AAC' | 'MP3' | null
  /** What a viewer gets before anything of the stream; empty: nothing. */
  firstBytes(content: StreamContent): Buffer
}

type Remux = VhostConfig['httpRemux']

/** The way in which a virtual host's settings say that a stream is sent. */
export function liveFormat(kind: LiveKind, carrier: Carrier, { httpRemux }: VhostConfig): LiveFormat {
  const format = plainFormat(kind, httpRemux)
  const name = `${carrier}-${kind}`
  if (carrier === 'http') return { ...format, name }
  const { stream } = format
  return {
    ...format,
    name,
    stream: {
      ...stream,
      key: `ws ${stream.key}`,
      createMuxer: () => new WebSocketMuxer(stream.createMuxer()),
    },
    firstBytes: (content) => {
      const bytes = format.firstBytes(content)
      return bytes.length === 0 ? bytes : encodeFrame(opcode.binary, bytes)
    },
  }
}

function plainFormat(kind: LiveKind, remux: Remux): Omit<LiveFormat, 'name'> {
  switch (kind) {
    case 'flv':
      return flv(remux)
    case 'ts':
      return {
        contentType: 'video/mp2t',
        stream: { key: 'ts', createMuxer: () => new TsBatchMuxer(), takes: fitsTs },
        awaits: 'nothing',
        audioCodec: null,
        firstBytes: () => nothing,
      }
    case 'aac':
      return audio('AAC', 'audio/aac', remux)
    case 'mp3':
      return audio('MP3', 'audio/mpeg', remux)
  }
}

const nothing = Buffer.alloc(0)

function flv({ guessHasAv, hasAudio, hasVideo, dropIfNotMatch }: Remux): Omit<LiveFormat, 'name'> {
  const configured = { audio: hasAudio, video: hasVideo }
  // What was guessed leaves nothing out: the guess may be wrong, and all viewers share the bytes.
  const kept = guessHasAv || !dropIfNotMatch ? { audio: true, video: true } : configured
  const createMuxer = (): BatchMuxer => new FlvMuxer()
  const isKept = ({ type }: Packet): boolean =>
    (kept.audio || type !== audioType) && (kept.video || type !== videoType)
  return {
    contentType: 'video/x-flv',
    stream: { key: `flv ${kept.audio} ${kept.video}`, createMuxer, takes: isKept },
    awaits: guessHasAv ? 'audio and video' : 'nothing',
    audioCodec: null,
    firstBytes: ({ audio, video }) =>
      flvFileHeader(guessHasAv ? { audio: audio !== null, video: video !== null } : configured),
  }
}

function audio(codec: 'AAC' | 'MP3', contentType: string, { fastCache }: Remux): Omit<LiveFormat, 'name'> {
  return {
    contentType,
    stream: {
      key: codec,
      createMuxer: () => new AudioMuxer(codec),
      takes: ({ type }) => type === audioType,
      audioCacheMs: fastCache * 1000,
    },
    awaits: 'audio',
    audioCodec: codec,
    firstBytes: () => nothing,
  }
}

/** Pictures that cannot be sent are none: nobody shall wait for one of their key frames. */
function fitsTs({ type, body }: Packet): boolean {
  if (type !== videoType) return true
  const codec = codecName(type, body)
  return codec === 'H264' || codec === 'HEVC'
}
