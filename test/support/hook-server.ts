import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished, vi } from 'vitest'

/** A callback as it came. */
export interface HookCallSeen {
  readonly method: string
  /** With its query. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The JSON of a POST. */
  readonly body: Record<string, unknown>
}

/** How to answer: a body, a status and a body, or whatever a test does with the response. */
export type HookAnswerer = (
  call: HookCallSeen,
) => string | [number, string] | ((response: ServerResponse) => void)

/** A real server for callbacks, that keeps what it hears. */
export class HookServer {
  readonly calls: HookCallSeen[] = []
  readonly #server: Server
  answer: HookAnswerer = () => '0'
  /** Connections that were made. */
  connections = 0

  private constructor() {
    this.#server = createServer((request, response) => {
      const pieces: Buffer[] = []
      request.on('data', (piece: Buffer) => pieces.push(piece))
      request.on('end', () => {
        const text = Buffer.concat(pieces).toString()
        const { method = '', url = '', headers } = request
        const call = { method, url, headers, text, body: text === '' ? {} : JSON.parse(text) }
        this.calls.push(call)
        const answer = this.answer(call)
        if (typeof answer === 'function') answer(response)
        else if (typeof answer === 'string') response.end(answer)
        else response.writeHead(answer[0]).end(answer[1])
      })
    })
    this.#server.on('connection', () => {
      this.connections += 1
    })
  }

  /** @param port 0: any; a server that was closed may come back on its own */
  static async start(port = 0): Promise<HookServer> {
    const hooks = new HookServer()
    hooks.#server.listen(port, '127.0.0.1')
    await once(hooks.#server, 'listening')
    return hooks
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  url(path = '/hook'): string {
    return `http://127.0.0.1:${this.port}${path}`
  }

  /** The actions that came, in their order; of one client if it is given. */
  actions(client?: string): unknown[] {
    const mine = this.calls.filter(({ body }) => client === undefined || body.client_id === client)
    return mine.map(({ body }) => body.action)
  }

  count(action: string): number {
    return this.actions().filter((seen) => seen === action).length
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }
}

/** A server for callbacks that ends with the test. */
export async function hookServer(port = 0): Promise<HookServer> {
  const server = await HookServer.start(port)
  onTestFinished(() => server.close())
  return server
}

/** How long something may take that a test waits for: long enough for a busy machine. */
export const patience = { timeout: 10_000 }

/** Waits until a server has heard of so many. */
export function heard(server: HookServer, calls: number): Promise<void> {
  return vi.waitFor(() => {
    if (server.calls.length < calls) throw new Error(`${server.calls.length} of ${calls} calls came`)
  }, patience)
}
