import type { Server } from 'node:net'
import { WeirError } from '../base/errors.ts'
import type { Endpoint } from '../config/config.ts'
import { endpointName } from '../config/endpoints.ts'

/** Connections that may wait to be accepted. */
const backlog = 4096

/** Every worker listens on the same ports by itself; the kernel balances (Linux only). */
const reusePort = process.platform === 'linux'

/** The TCP ports of a worker, all served alike. */
export class Listeners {
  readonly #createServer: () => Server
  readonly #onError: (error: Error) => void
  readonly #servers = new Map<string, Server>()
  #applied: Promise<void> = Promise.resolve()
  #closed = false

  /**
   * @param createServer makes the server of one port
   * @param onError a connection could not be accepted (no file descriptors, above all); listening goes on
   */
  constructor(createServer: () => Server, onError: (error: Error) => void) {
    this.#createServer = createServer
    this.#onError = onError
  }

  /**
   * Listens on exactly these endpoints from now on: new ones are opened, others closed. Clients that are
   * connected stay. One call waits for those before it.
   * @returns the addresses in force; none once the listeners are closed
   * @throws WeirError LISTEN when one cannot be bound; the others stay as they were
   */
  apply(endpoints: readonly Endpoint[]): Promise<string[]> {
    const applied = this.#applied.then(() => this.#apply(endpoints))
    this.#applied = applied.then(
      () => {},
      () => {},
    )
    return applied
  }

  async #apply(endpoints: readonly Endpoint[]): Promise<string[]> {
    const wanted = new Map(endpoints.map((endpoint) => [endpointName(endpoint), endpoint]))
    const opened = new Map<string, Server>()
    try {
      for (const [name, endpoint] of wanted) {
        if (!this.#closed && !this.#servers.has(name)) opened.set(name, await this.#open(endpoint))
      }
    } catch (error) {
      for (const server of opened.values()) server.close()
      throw error
    }
    for (const [name, server] of opened) this.#servers.set(name, server)
    for (const [name, server] of this.#servers) {
      if (wanted.has(name) && !this.#closed) continue
      server.close()
      this.#servers.delete(name)
    }
    return this.addresses
  }

  get addresses(): string[] {
    return [...this.#servers.values()].map((server) => {
      const address = server.address()
      if (address === null || typeof address === 'string') return String(address)
      return address.family === 'IPv6'
        ? `[${address.address}]:${address.port}`
        : `${address.address}:${address.port}`
    })
  }

  /** For good: what is still opening is closed as soon as it is open. */
  close(): void {
    this.#closed = true
    for (const server of this.#servers.values()) server.close()
    this.#servers.clear()
  }

  #open(endpoint: Endpoint): Promise<Server> {
    const server = this.#createServer()
    return new Promise((resolve, reject) => {
      const refuse = (error: NodeJS.ErrnoException): void => {
        reject(new WeirError('LISTEN', `listen ${endpointName(endpoint)}: ${reasonOf(error)}`, error))
      }
      server.once('error', refuse)
      const host = endpoint.host === null ? {} : { host: endpoint.host }
      server.listen({ ...host, port: endpoint.port, backlog, reusePort }, () => {
        server.off('error', refuse)
        server.on('error', this.#onError)
        resolve(server)
      })
    })
  }
}

function reasonOf(error: NodeJS.ErrnoException): string {
  if (error.code === 'EADDRINUSE') return 'the address is in use'
  if (error.code === 'EACCES') return 'not permitted (ports below 1024 need root or CAP_NET_BIND_SERVICE)'
  if (error.code === 'EADDRNOTAVAIL') return 'this machine does not have the address'
  return error.message
}
