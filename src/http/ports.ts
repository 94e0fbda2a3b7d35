import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Config } from '../config/config.ts'
import { type HttpEndpoint, httpEndpoints } from '../config/endpoints.ts'
import { socketHighWaterMark } from '../live/viewer.ts'
import { Listeners } from '../worker/listener.ts'

/** What is served on a port. */
export type Face = 'api' | 'site' | 'both' | 'exporter'

const faces = ['api', 'site', 'both', 'exporter'] as const

/** What comes in over the ports. */
export interface PortHandler {
  onRequest(face: Face, request: IncomingMessage, response: ServerResponse): void
  /** A client asks for WebSocket; the socket is the handler's from now on. */
  onUpgrade(face: Face, request: IncomingMessage, socket: Socket, head: Buffer): void
  onAcceptError(error: Error): void
  /** The last connection is closed. */
  onEmpty(): void
}

/** Time for the head of a request, and for all of it, in milliseconds: slow senders gain nothing. */
const headersTimeoutMs = 10_000
const requestTimeoutMs = 20_000

/** A connection without a request is kept this long: longer than an HLS player waits between two playlists. */
const keepAliveTimeoutMs = 30_000

/** How often these are looked at. */
const checkIntervalMs = 1000

/** Connections beyond `max_connections` that are taken, so that they can be told that the server is full. */
const spareConnections = 1000

function faceOf({ api, site, exporter }: HttpEndpoint): Face {
  if (exporter) return 'exporter'
  return api && site ? 'both' : api ? 'api' : 'site'
}

/** The HTTP ports of a worker and all connections on them. */
export class WebPorts {
  readonly #handler: PortHandler
  readonly #listeners: Readonly<Record<Face, Listeners>>
  readonly #servers = new Set<Server>()
  readonly #sockets = new Set<Socket>()
  #maxSockets = spareConnections
  #closing = false

  constructor(handler: PortHandler) {
    this.#handler = handler
    const listenersOf = (face: Face) =>
      new Listeners(
        () => this.#createServer(face),
        (error) => handler.onAcceptError(error),
      )
    this.#listeners = {
      api: listenersOf('api'),
      site: listenersOf('site'),
      both: listenersOf('both'),
      exporter: listenersOf('exporter'),
    }
  }

  /** Open connections, idle ones among them. */
  get connections(): number {
    return this.#sockets.size
  }

  /**
   * Listens on what the configuration says from now on; clients that are connected stay.
   * @returns the addresses in force
   * @throws WeirError LISTEN when one cannot be bound
   */
  async apply(config: Config): Promise<string[]> {
    this.#maxSockets = config.maxConnections + spareConnections
    const endpoints = httpEndpoints(config)
    const addresses: string[] = []
    for (const face of faces) {
      const ofFace = endpoints.filter((endpoint) => face === faceOf(endpoint))
      addresses.push(...(await this.#listeners[face].apply(ofFace.map(({ endpoint }) => endpoint))))
    }
    return addresses
  }

  /** Counts a connection that has left its server, as one that is there. */
  keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      if (this.#sockets.size === 0) this.#handler.onEmpty()
    })
  }

  /** Listens no more, and closes every connection as soon as nothing is going on there. */
  drain(): void {
    this.#closing = true
    for (const face of faces) this.#listeners[face].close()
    this.closeIdle()
  }

  /** Closes the connections that wait for another request. */
  closeIdle(): void {
    for (const server of this.#servers) server.closeIdleConnections()
  }

  /** Closes every connection. */
  close(): void {
    this.drain()
    for (const socket of this.#sockets) socket.destroy()
  }

  #createServer(face: Face): Server {
    const server = createServer(
      {
        highWaterMark: socketHighWaterMark,
        keepAlive: true,
        headersTimeout: headersTimeoutMs,
        requestTimeout: requestTimeoutMs,
        keepAliveTimeout: keepAliveTimeoutMs,
        connectionsCheckingInterval: checkIntervalMs,
        // Anything else that a client offers to speak (h2c) is passed over, as a server may.
        shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
      },
      (request, response) => {
        if (this.#closing) response.setHeader('Connection', 'close')
        this.#handler.onRequest(face, request, response)
      },
    )
    server.on('connection', (socket: Socket) => this.#onConnection(socket))
    server.on('upgrade', (request, socket, head) => {
      this.#handler.onUpgrade(face, request, socket as Socket, head)
    })
    server.on('close', () => this.#servers.delete(server))
    this.#servers.add(server)
    return server
  }

  #onConnection(socket: Socket): void {
    if (this.#sockets.size >= this.#maxSockets) {
      socket.destroy()
      return
    }
    this.keep(socket)
  }
}
