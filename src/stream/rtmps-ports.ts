import type { Server, Socket } from 'node:net'
import type { Server as TlsServer } from 'node:tls'
import { codeOf } from '../base/errors.ts'
import { nodeTls } from '../base/node-builtins.ts'
import { plainIp } from '../base/plain-ip.ts'
import type { Config } from '../config/config.ts'
import { rtmpsEndpoints } from '../config/endpoints.ts'
import { readTlsFiles, type TlsFiles } from '../config/tls-files.ts'
import { Listeners } from '../worker/listener.ts'

/** Connections of one port beyond `max_connections`: those whose TLS handshake goes on are counted by nobody else. */
const spareConnections = 1000

/** What comes in over the ports. */
export interface RtmpsHandler {
  /** A client whose TLS handshake is done; nothing has been read from it. */
  onSecure(socket: Socket): void
  /** A client whose handshake failed. */
  onFailed(ip: string, code: string): void
  onAcceptError(error: Error): void
}

/** The ports of a worker that speak RTMP over TLS. */
export class RtmpsPorts {
  readonly #handler: RtmpsHandler
  readonly #listeners: Listeners
  readonly #servers = new Set<TlsServer>()
  #config: Config
  #files: TlsFiles | null = null

  constructor(config: Config, handler: RtmpsHandler) {
    this.#config = config
    this.#handler = handler
    this.#listeners = new Listeners(
      () => this.#createServer(),
      (error) => handler.onAcceptError(error),
    )
  }

  /**
   * Listens as the configuration says from now on, with the certificate that is there now; clients that are connected
   * stay, with the one they had.
   * @returns the addresses in force
   * @throws WeirError TLS_FILES: all stays as it was; LISTEN: the addresses stay as they were
   */
  async apply(config: Config): Promise<string[]> {
    const endpoints = rtmpsEndpoints(config)
    const files = endpoints.length === 0 ? null : readTlsFiles(config.rtmps)
    this.#config = config
    this.#files = files
    if (files !== null) for (const server of this.#servers) server.setSecureContext(files)
    for (const server of this.#servers) server.maxConnections = this.#maxConnections
    return this.#listeners.apply(endpoints)
  }

  /** For good. */
  close(): void {
    this.#listeners.close()
  }

  get #maxConnections(): number {
    return this.#config.maxConnections + spareConnections
  }

  #createServer(): Server {
    const handshakeTimeout = this.#config.handshakeTimeout * 1000
    const server = nodeTls().createServer(
      { ...this.#files, handshakeTimeout, pauseOnConnect: true, keepAlive: true },
      (socket) => this.#handler.onSecure(socket),
    )
    server.maxConnections = this.#maxConnections
    server.on('tlsClientError', (error, socket) => {
      this.#handler.onFailed(plainIp(socket.remoteAddress), codeOf(error))
      // One that is too slow is told of and nothing more: left alone it would stay for ever.
      socket.destroy()
    })
    server.on('close', () => this.#servers.delete(server))
    this.#servers.add(server)
    return server
  }
}
