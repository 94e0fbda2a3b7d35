import { createServer, type Server } from 'node:net'
import { codeOf, messageOf, WeirError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { Channel } from '../ipc/channel.ts'
import type { ControlReply, ControlRequest, ServerStatus } from './control-contract.ts'

/** The master's own Unix socket, on which `weir ctl status` asks. */
export class ControlServer {
  readonly #server: Server
  readonly #path: string

  /** @param status gathers the answer from all workers */
  constructor(path: string, logger: Logger, status: () => Promise<ServerStatus>) {
    this.#path = path
    this.#server = createServer((socket) => {
      const channel = new Channel<ControlReply, ControlRequest>(socket, {
        onMessage: () => {
          status().then(
            (answer) => {
              channel.send({ t: 'status', status: answer })
              channel.end()
            },
            (error: unknown) => {
              logger.error({ code: codeOf(error) }, `status: ${messageOf(error)}`)
              channel.end()
            },
          )
        },
        onMedia: () => {
          throw new WeirError('IPC_FRAME', 'media on the control socket')
        },
        onClose: () => {},
      })
    })
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error) => {
        reject(new WeirError('RUNTIME_DIR', `cannot listen on ${this.#path}: ${error.message}`, error))
      })
      this.#server.listen({ path: this.#path }, resolve)
    })
  }

  close(): void {
    this.#server.close()
  }
}

/** Asks the master behind a control socket. */
export function askMaster(path: string): Promise<ServerStatus> {
  return new Promise((resolve, reject) => {
    const channel = Channel.connect<ControlRequest, ControlReply>(path, {
      onMessage: (message) => resolve(message.status),
      onMedia: () => {},
      onClose: (error) => {
        reject(
          new WeirError('NOT_RUNNING', `no answer on ${path}${error ? `: ${error.message}` : ''}`, error),
        )
      },
    })
    channel.send({ t: 'status' })
  })
}
