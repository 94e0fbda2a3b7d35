import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import type { Server as SecureServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Config } from '../config/config.ts'
import { type HttpEndpoint, httpEndpoints } from '../config/endpoints.ts'
import type { TlsFiles } from '../config/tls-files.ts'
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

const options: ServerOptions & { handshakeTimeout: number } = {
  highWaterMark: socketHighWaterMark,
  keepAlive: true,
  headersTimeout: headersTimeoutMs,
  handshakeTimeout: headersTimeoutMs,
  requestTimeout: requestTimeoutMs,
  keepAliveTimeout: keepAliveTimeoutMs,
  connectionsCheckingInterval: checkIntervalMs,
  // Anything else that a client offers to speak (h2c) is passed over, as a server may.
  shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
}

interface Secure {
  readonly https: typeof import('node:https')
  readonly read: typeof import('../config/tls-files.ts').readTlsFiles
  readonly files: Map<Face, TlsFiles>
  readonly servers: Map<SecureServer, Face>
}

async function loadSecure(): Promise<Secure> {
  const [https, { readTlsFiles }] = await Promise.all([
    import('node:https'),
    import('../config/tls-files.ts'),
  ])
  return { https, read: readTlsFiles, files: new Map(), servers: new Map() }
}

function faceOf({ api, site, exporter }: HttpEndpoint): Face {
  if (exporter) return 'exporter'
  return api && site ? 'both' : api ? 'api' : 'site'
}

/** The HTTP ports of a worker and all connections on them. */
export class WebPorts {
  readonly #handler: PortHandler
  readonly #listeners: Readonly<Record<Face, Listeners>>
  readonly #secureListeners: Readonly<Record<Face, Listeners>>
  readonly #servers = new Set<Server | SecureServer>()
  /** What TLS takes is loaded when it is wanted; with the certificates in force. */
  #secure: Secure | null = null
  readonly #sockets = new Set<Socket>()
  #maxSockets = spareConnections
  #closing = false

  constructor(handler: PortHandler) {
    this.#handler = handler
    const listenersOf = (create: (face: Face) => Server | SecureServer) => {
      const of = (face: Face) =>
        new Listeners(
          () => create(face),
          (error) => handler.onAcceptError(error),
        )
      return { api: of('api'), site: of('site'), both: of('both'), exporter: of('exporter') }
    }
    this.#listeners = listenersOf((face) => this.#createServer(face))
    this.#secureListeners = listenersOf((face) => this.#createSecureServer(face))
  }

  /** Open connections, idle ones among them. */
  get connections(): number {
    return this.#sockets.size
  }

  /**
   * Listens on what the configuration says from now on, with the certificates that are there now; clients that are
   * connected stay.
   * @returns the addresses in force
   * @throws WeirError LISTEN when one cannot be bound, TLS_FILES
   */
  async apply(config: Config): Promise<string[]> {
    this.#maxSockets = config.maxConnections + spareConnections
    const endpoints = httpEndpoints(config)
    const addresses: string[] = []
    for (const face of faces) {
      const ofFace = endpoints.filter((endpoint) => face === faceOf(endpoint))
      const of = (isSecure: boolean) =>
        ofFace.filter(({ tls }) => (tls !== null) === isSecure).map(({ endpoint }) => endpoint)
      addresses.push(...(await this.#listeners[face].apply(of(false))))
      await this.#secureFace(face, ofFace)
      addresses.push(...(await this.#secureListeners[face].apply(of(true))))
    }
    return addresses
  }

  /** Has the certificate of a face read; who is connected stays with the one it had. */
  async #secureFace(face: Face, endpoints: readonly HttpEndpoint[]): Promise<void> {
    const paths = endpoints.find(({ tls }) => tls !== null)?.tls
    if (!paths) return
    this.#secure ??= await loadSecure()
    const files = this.#secure.read(paths)
    this.#secure.files.set(face, files)
    for (const [server, served] of this.#secure.servers) if (served === face) server.setSecureContext(files)
  }

  /** Counts a connection that has left its server, as one that is there. */
  keep(socket: Socket): void {
    // Of one over TLS the connection below it is counted, and that has not left.
    if ('encrypted' in socket) return
    this.#sockets.add(socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      if (this.#sockets.size === 0) this.#handler.onEmpty()
    })
  }

  /** Listens no more, and closes every connection as soon as nothing is going on there. */
  drain(): void {
    this.#closing = true
    for (const face of faces) {
      this.#listeners[face].close()
      this.#secureListeners[face].close()
    }
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
    const server = createServer(options, (request, response) => this.#onRequest(face, request, response))
    this.#watch(face, server)
    return server
  }

  #createSecureServer(face: Face): SecureServer {
    const { https, files, servers } = this.#secure!
    const server = https.createServer({ ...options, ...files.get(face) }, (request, response) =>
      this.#onRequest(face, request, response),
    )
    servers.set(server, face)
    server.on('close', () => servers.delete(server))
    this.#watch(face, server)
    return server
  }

  #watch(face: Face, server: Server | SecureServer): void {
    server.on('connection', (socket: Socket) => this.#onConnection(socket))
    server.on('upgrade', (request, socket, head) => {
      this.#handler.onUpgrade(face, request, socket as Socket, head)
    })
    server.on('close', () => this.#servers.delete(server))
    this.#servers.add(server)
  }

  #onRequest(face: Face, request: IncomingMessage, response: ServerResponse): void {
    if (this.#closing) response.setHeader('Connection', 'close')
    this.#handler.onRequest(face, request, response)
  }

  #onConnection(socket: Socket): void {
    if (this.#sockets.size >= this.#maxSockets) {
      socket.destroy()
      return
    }
    this.keep(socket)
  }
}
