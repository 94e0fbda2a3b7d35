import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

export interface TestServer {
  readonly url: string
  readonly server: Server
  close(): Promise<void>
}

/** An HTTP server of this process, until the test is over. @param port 0: a free one */
export async function listen(handler: Handler, port = 0): Promise<TestServer> {
  const server = createServer(handler).listen(port, '127.0.0.1')
  await once(server, 'listening')
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    if (!server.listening) return
    server.close()
    await once(server, 'close')
  }
  onTestFinished(close)
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, close }
}

/** A server that has HLS: answers with what its `files` say, and counts what it is asked for. */
export class HlsOrigin {
  readonly files = new Map<string, string | Buffer>()
  readonly requests: string[] = []
  readonly headers: IncomingMessage['headers'][] = []
  /** Answers instead, when it is set. */
  instead: Handler | null = null
  #held: (() => void)[] | null = null

  readonly handle: Handler = (request, response) => {
    this.requests.push(request.url ?? '')
    this.headers.push(request.headers)
    if (this.instead !== null) this.instead(request, response)
    else if (this.#held === null) this.#answer(request, response)
    else this.#held.push(() => this.#answer(request, response))
  }

  /** Answers nobody until what this returns is called. */
  hold(): () => void {
    this.#held = []
    return () => {
      const held = this.#held ?? []
      this.#held = null
      for (const answer of held) answer()
    }
  }

  asked(url: string): number {
    return this.requests.filter((asked) => asked === url).length
  }

  #answer({ url = '' }: IncomingMessage, response: ServerResponse): void {
    const file = this.files.get(url.replace(/\?.*$/, ''))
    response.writeHead(file === undefined ? 404 : 200)
    response.end(file ?? 'not found')
  }
}

/** A playlist of segments `show-N.ts`, of so many seconds each. */
export function playlistOf(first: number, count: number, seconds = 4): string {
  const segments = Array.from({ length: count }, (_, n) => `#EXTINF:${seconds},\nshow-${first + n}.ts\n`)
  return `#EXTM3U\n#EXT-X-TARGETDURATION:${Math.ceil(seconds)}\n#EXT-X-MEDIA-SEQUENCE:${first}\n${segments.join('')}`
}
