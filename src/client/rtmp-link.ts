/** One connection of an RTMP client: its socket and its session. A client that is redirected has one after another. */
import { createConnection, isIP, type Socket } from 'node:net'
import { messageOf, WeirError } from '../base/errors.ts'
import type { AmfRecord, AmfValue } from '../media/amf-value.ts'
import type { Packet } from '../media/packet.ts'
import { ClientSession } from '../rtmp/client-session.ts'
import type { HandshakeKind } from '../rtmp/handshake.ts'
import type { Redirect } from '../rtmp/redirect.ts'
import type { Status } from '../rtmp/status.ts'
import type { RtmpUrl } from './rtmp-url.ts'

export type Tls = typeof import('node:tls')

/** Node's TLS takes a megabyte of a process: only who uses it shall have it. */
export async function tlsFor({ secure }: RtmpUrl): Promise<Tls | null> {
  return secure ? await import('node:tls') : null
}

/** What a connection begins with. */
export interface LinkSettings {
  readonly handshake: HandshakeKind
  readonly chunkSize: number
  /** What is told of the address in connect. */
  readonly tcUrl: string
  readonly connectFields: Readonly<Record<string, AmfValue>>
  readonly connectArgs: AmfValue
  readonly tls: { readonly ca?: string | Buffer; readonly rejectUnauthorized?: boolean } | undefined
}

/** What a connection tells its client. */
export interface LinkOwner {
  /** Whether nothing more is to be read for now. */
  isFull(): boolean
  onConnected(information: AmfRecord | null): void
  /** Publish or play is accepted. */
  onStarted(): void
  onStatus(status: Status): void
  onPacket(packet: Packet): void
  onCall(name: string, args: readonly AmfValue[]): void
  onRedirect(redirect: Redirect): void
  onDrain(): void
  /** The server refused or ended it, or broke the protocol; null: it ended in good order. */
  onEnd(error: Error | null): void
  /** The socket is closed. */
  onClose(error: WeirError): void
}

const readBufferBytes = 16 * 1024

/** How long the last bytes may take after {@link RtmpLink.end}, in ms. */
const lingerMs = 5000

export class RtmpLink {
  readonly session: ClientSession
  readonly socket: Socket
  readonly #url: RtmpUrl
  readonly #settings: LinkSettings
  readonly #owner: LinkOwner
  #socketError: Error | null = null

  /** Connects at once. */
  constructor(url: RtmpUrl, settings: LinkSettings, tls: Tls | null, owner: LinkOwner) {
    this.#url = url
    this.#settings = settings
    this.#owner = owner
    const { handshake, chunkSize } = settings
    this.session = new ClientSession(
      { handshake, chunkSize },
      {
        send: (bytes) => this.socket.write(bytes),
        onConnected: (information) => owner.onConnected(information),
        onPublishStart: () => owner.onStarted(),
        onPlayStart: () => owner.onStarted(),
        onStatus: (status) => owner.onStatus(status),
        onPacket: (packet) => owner.onPacket(packet),
        onRejected: (code, description) => owner.onEnd(rejection(code, description)),
        onRedirect: (redirect) => owner.onRedirect(redirect),
        onEnded: ({ level, code, description }) =>
          owner.onEnd(level === 'error' ? rejection(code, description) : null),
        onCall: (name, args) => owner.onCall(name, args),
      },
    )
    this.socket = this.#open(tls)
  }

  /**
   * Ends our direction and reads on until the server ends its own: closing at once would answer what it still sends
   * with a reset, and that takes from it what it has not read yet.
   */
  end(): void {
    this.session.close()
    this.socket.end()
    this.socket.resume()
    const timer = setTimeout(() => this.socket.destroy(), lingerMs)
    this.socket.once('close', () => clearTimeout(timer))
  }

  destroy(): void {
    this.session.close()
    this.socket.destroy()
  }

  #open(tls: Tls | null): Socket {
    const socket = tls === null ? this.#openPlain() : this.#openSecure(tls)
    socket.on(tls === null ? 'connect' : 'secureConnect', () => {
      const { tcUrl, connectFields, connectArgs } = this.#settings
      // It may have been closed meanwhile.
      if (this.session.state !== 'idle') return
      this.session.connect({ tcUrl, app: this.#url.app, fields: connectFields, args: connectArgs })
    })
    socket.on('drain', () => this.#owner.onDrain())
    socket.on('error', (error) => {
      this.#socketError = error
    })
    socket.on('close', () => this.#owner.onClose(this.#closedBySocket()))
    return socket
  }

  #openPlain(): Socket {
    const { host, port } = this.#url
    const buffer = Buffer.allocUnsafeSlow(readBufferBytes)
    // A buffer of our own halves the cost of a wake-up against ordinary `data` events.
    const onread = { buffer, callback: (length: number) => this.#read(buffer.subarray(0, length)) }
    return createConnection({ host, port, noDelay: true, onread })
  }

  #openSecure(tls: Tls): Socket {
    const { host, port } = this.#url
    // An IP address is no name that a server could have several certificates for (RFC 6066, 3).
    const name = isIP(host) === 0 ? { servername: host } : {}
    const socket = tls.connect({ host, port, ...name, ...this.#settings.tls })
    socket.setNoDelay(true)
    socket.on('data', (bytes) => {
      if (!this.#read(bytes)) socket.pause()
    })
    return socket
  }

  /** @returns whether to go on reading */
  #read(bytes: Buffer): boolean {
    try {
      this.session.push(bytes)
    } catch (error) {
      this.#owner.onEnd(error instanceof Error ? error : new Error(messageOf(error)))
    }
    return this.session.state === 'closed' || !this.#owner.isFull()
  }

  #closedBySocket(): WeirError {
    const server = `${this.#url.host}:${this.#url.port}`
    if (this.#socketError === null) return new WeirError('RTMP_CLOSED', `${server} closed the connection`)
    return new WeirError('RTMP_CLOSED', `${server}: ${messageOf(this.#socketError)}`, this.#socketError)
  }
}

function rejection(code: string, description: string): WeirError {
  return new WeirError('RTMP_REJECTED', `${code}: ${description}`)
}
