/** What a server answers: names, order and members as SRS and Flash Media Server send them. */
import { type AmfValue, amfEcmaArray, amfObject } from '../media/amf-value.ts'
import { dynamicLimit, encodeSetPeerBandwidth, encodeStreamBegin, encodeStreamEof } from './control.ts'
import { type Redirect, redirectObject } from './redirect.ts'
import type { PublishStyle } from './server-streams.ts'
import type { SessionTransport } from './session-transport.ts'
import { type Status, statusObject } from './status.ts'

/** The server version that clients are told: Flash players look for features by it. */
const fmsVersion = '3,5,3,888'

/** Fields of the connect answer that name the server. */
export type ServerIdentity = Readonly<Record<string, string | number>>

export interface ConnectAnswer {
  readonly transactionId: number
  readonly objectEncoding: 0 | 3
  readonly chunkSize: number
  readonly windowAckSize: number
  readonly identity: ServerIdentity
}

export class ServerReplies {
  readonly #transport: SessionTransport

  constructor(transport: SessionTransport) {
    this.#transport = transport
  }

  connected(answer: ConnectAnswer): void {
    const transport = this.#transport
    if (answer.windowAckSize > 0) {
      transport.writeWindowAckSize(answer.windowAckSize)
      transport.write(encodeSetPeerBandwidth(answer.windowAckSize, dynamicLimit, transport.chunkSize))
    }
    transport.writeChunkSize(answer.chunkSize)
    const properties = amfObject({ fmsVer: `FMS/${fmsVersion}`, capabilities: 127, mode: 1 })
    const information = amfObject({
      level: 'status',
      code: 'NetConnection.Connect.Success',
      description: 'Connection succeeded',
      objectEncoding: answer.objectEncoding,
      data: amfEcmaArray({ version: fmsVersion, ...answer.identity }),
    })
    this.result(answer.transactionId, properties, information)
    this.call('onBWDone')
  }

  connectRejected(transactionId: number, code: string, description: string): void {
    const information = amfObject({ level: 'error', code, description })
    this.#command(0, '_error', transactionId, null, information)
  }

  connectRedirected(transactionId: number, redirect: Redirect): void {
    this.#command(0, '_error', transactionId, null, redirectObject(redirect))
  }

  /** For publish and play: as SRS does, of the connection and not of the stream. */
  redirected(redirect: Redirect): void {
    this.#command(0, 'onStatus', 0, null, redirectObject(redirect))
  }

  /** @param values the command object (null where nothing else is said), then the answer proper */
  result(transactionId: number, ...values: AmfValue[]): void {
    this.#command(0, '_result', transactionId, ...values)
  }

  /** A command that wants no answer. */
  call(name: string, ...args: AmfValue[]): void {
    this.#command(0, name, 0, null, ...args)
  }

  published(streamId: number, style: PublishStyle): void {
    const started = { code: 'NetStream.Publish.Start', description: 'Started publishing stream.' }
    if (style !== 'flash') this.#command(streamId, 'onFCPublish', 0, null, amfObject(started))
    this.status(streamId, { level: 'status', ...started })
  }

  unpublishing(streamId: number): void {
    const stopped = { code: 'NetStream.Unpublish.Success', description: 'Stop publishing stream.' }
    this.#command(streamId, 'onFCUnpublish', 0, null, amfObject(stopped))
  }

  unpublished(streamId: number): void {
    const description = 'Stream is now unpublished.'
    this.status(streamId, { level: 'status', code: 'NetStream.Unpublish.Success', description })
  }

  subscribed(): void {
    const status = { level: 'status', code: 'NetStream.Play.Start', description: 'Started playing stream.' }
    this.call('onFCSubscribe', amfObject(status))
  }

  /** @param stream name of the stream, shown as the statuses' details */
  playing(streamId: number, stream: string, reset: boolean): void {
    const transport = this.#transport
    transport.write(encodeStreamBegin(streamId, transport.chunkSize))
    if (reset) {
      const description = 'Playing and resetting stream.'
      this.status(streamId, { level: 'status', code: 'NetStream.Play.Reset', description }, stream)
    }
    const description = 'Started playing stream.'
    this.status(streamId, { level: 'status', code: 'NetStream.Play.Start', description }, stream)
    transport.writeData(streamId, '|RtmpSampleAccess', true, true)
    transport.writeData(streamId, 'onStatus', amfObject({ code: 'NetStream.Data.Start' }))
  }

  paused(streamId: number): void {
    this.status(streamId, { level: 'status', code: 'NetStream.Pause.Notify', description: 'Paused stream.' })
    this.streamEof(streamId)
  }

  resumed(streamId: number): void {
    this.status(streamId, {
      level: 'status',
      code: 'NetStream.Unpause.Notify',
      description: 'Unpaused stream.',
    })
    this.#transport.write(encodeStreamBegin(streamId, this.#transport.chunkSize))
  }

  streamEof(streamId: number): void {
    this.#transport.write(encodeStreamEof(streamId, this.#transport.chunkSize))
  }

  status(streamId: number, status: Status, details?: string): void {
    this.#command(streamId, 'onStatus', 0, null, statusObject(status, details))
  }

  /** An onStatus that says why something was refused or ended. */
  error(streamId: number, code: string, description: string): void {
    this.status(streamId, { level: 'error', code, description })
  }

  #command(streamId: number, name: string, transactionId: number, ...args: AmfValue[]): void {
    this.#transport.writeCommand(streamId, { name, transactionId, args })
  }
}
