import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import type { Packet } from '../../src/media/packet.ts'
import type { ServerSessionHandler } from '../../src/rtmp/server-handler.ts'
import type { ConnectRequest, PlayRequest, PublishRequest } from '../../src/rtmp/server-requests.ts'
import { ServerSession } from '../../src/rtmp/server-session.ts'

/** One connection at the server: what it was asked and what it got. */
export class Peer {
  readonly socket: Socket
  readonly handler: ServerSessionHandler
  readonly session: ServerSession
  connect: ConnectRequest | null = null
  publish: PublishRequest | null = null
  play: PlayRequest | null = null
  readonly packets: Packet[] = []
  readonly ended: string[] = []

  constructor(socket: Socket) {
    this.socket = socket
    this.handler = {
      send: (bytes) => socket.write(bytes),
      onHandshake: () => {},
      onConnect: (request) => {
        this.connect = request
        this.session.acceptConnect()
      },
      onPublish: (request) => {
        this.publish = request
        this.session.acceptPublish(request.streamId)
      },
      onPlay: (request) => {
        this.play = request
        this.session.acceptPlay(request.streamId)
      },
      onUnpublish: () => this.ended.push('unpublish'),
      onStop: () => this.ended.push('stop'),
      onPause: (_streamId, paused) => this.ended.push(paused ? 'pause' : 'resume'),
      onPacket: (_streamId, packet) => this.packets.push(packet),
    }
    const options = { chunkSize: 4096, windowAckSize: 100_000, maxMessageSize: 1e6, maxChunkStreams: 32 }
    this.session = new ServerSession({ ...options, identity: { srs_id: 31 } }, this.handler)
    socket.on('data', (bytes) => this.session.push(bytes))
    socket.on('error', () => {})
  }
}

/** An RTMP server in the test's process that accepts everything, unless a test changes a peer's handler. */
export class TinyServer {
  readonly peers: Peer[] = []
  readonly #server: Server

  readonly #schema: 'rtmp' | 'rtmps'

  /**
   * @param change called with each new connection before anything is read from it
   * @param tls a certificate and its key: it speaks RTMPS
   */
  constructor(change: (peer: Peer) => void = () => {}, tls: TlsOptions | null = null) {
    const accept = (socket: Socket): void => {
      const peer = new Peer(socket)
      change(peer)
      this.peers.push(peer)
    }
    this.#schema = tls === null ? 'rtmp' : 'rtmps'
    this.#server = tls === null ? createServer(accept) : createTlsServer(tls, accept)
  }

  /** @returns the beginning of the server's URLs: `rtmp://host:port`, `rtmps://host:port` */
  async listen(host = '127.0.0.1'): Promise<string> {
    this.#server.listen(0, host)
    await once(this.#server, 'listening')
    const { port } = this.#server.address() as AddressInfo
    return `${this.#schema}://${host.includes(':') ? `[${host}]` : host}:${port}`
  }

  close(): void {
    for (const { socket } of this.peers) socket.destroy()
    this.#server.close()
  }
}
