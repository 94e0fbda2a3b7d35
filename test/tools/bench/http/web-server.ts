import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import type { Player } from '../../../../src/tools/bench/client.ts'
import { createPlayer } from '../../../../src/tools/bench/player.ts'
import { PlayStatistics } from '../../../../src/tools/bench/stream-checker.ts'

/** An HTTP server in the test's process, and what it was asked. */
export class WebServer {
  readonly paths: string[] = []
  readonly sockets = new Set<Socket>()
  readonly server: Server
  base = ''

  static async start(
    handle: (request: IncomingMessage, response: ServerResponse) => void,
  ): Promise<WebServer> {
    const server = new WebServer(handle)
    server.server.listen(0, '127.0.0.1')
    await once(server.server, 'listening')
    server.base = `127.0.0.1:${(server.server.address() as AddressInfo).port}`
    onTestFinished(() => {
      server.server.close()
      server.server.closeAllConnections()
    })
    return server
  }

  private constructor(handle: (request: IncomingMessage, response: ServerResponse) => void) {
    this.server = createServer((request, response) => {
      this.paths.push(request.url!)
      handle(request, response)
    })
    this.server.on('connection', (socket: Socket) => this.sockets.add(socket))
  }
}

/** A player of the load tool, alone, and what it tells. */
export class Playing {
  readonly statistics = new PlayStatistics()
  readonly player: Player
  up = 0
  readonly failures: Error[] = []
  readonly faults: Error[] = []

  constructor(url: string) {
    this.player = createPlayer(url, this.statistics, {
      onUp: () => {
        this.up += 1
      },
      onFailure: (error) => this.failures.push(error),
      onFault: (error) => this.faults.push(error),
    })
    onTestFinished(() => this.player.close())
    this.player.start()
  }

  /** Codes of what went wrong. */
  get codes(): unknown[] {
    return [...this.failures, ...this.faults].map((error) => (error as NodeJS.ErrnoException).code)
  }
}

/** For what comes in a tenth of this, unless the machine is busy. */
export const patience = { timeout: 10_000 }
