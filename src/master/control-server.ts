import { createServer, type Server } from 'node:net'
import { codeOf, messageOf, WeirError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { Channel } from '../ipc/channel.ts'
import type { ControlReply, ControlRequest, ServerStatus } from './control-contract.ts'

/** The master's own Unix socket, on which `weir ctl status` asks. */
export class ControlServer {
  readonly #server: Server
  readonly #path: string
  readonly #logger: Logger

  /** @param status gathers the answer from all workers */
  constructor(path: string, logger: Logger, status: () => Promise<ServerStatus>) {
    this.#path = path
    this.#logger = logger
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
      const refuse = (error: Error): void => {
        reject(new WeirError('RUNTIME_DIR', `cannot listen on ${this.#path}: ${error.message}`, error))
      }
      this.#server.once('error', refuse)
      this.#server.listen({ path: this.#path }, () => {
        this.#server.off('error', refuse)
        // Out of file descriptors, above all: who asks tries again.
        this.#server.on('error', (error) => {
          this.#logger.error({ code: codeOf(error) }, `control socket: ${messageOf(error)}`)
        })
        resolve()
      })
    })
  }

  close(): void {
    this.#server.close()
  }
}

/** How long a master may take to answer, in milliseconds; it waits a second for workers that hang. */
const answerTimeoutMs = 5000

/**
 * Asks the master behind a control socket.
 * @throws WeirError NOT_RUNNING when there is no answer, or none in time
 */
export function askMaster(path: string, timeoutMs = answerTimeoutMs): Promise<ServerStatus> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string, cause: unknown = null): void => {
      reject(new WeirError('NOT_RUNNING', `no answer on ${path}${reason}`, cause ?? undefined))
    }
    const timer = setTimeout(() => {
      fail(` in ${timeoutMs} ms: the server hangs`)
      channel.close(null)
    }, timeoutMs)
    const channel = Channel.connect<ControlRequest, ControlReply>(path, {
      onMessage: (message) => {
        resolve(message.status)
        channel.close(null)
      },
      onMedia: () => {},
      onClose: (error) => {
        clearTimeout(timer)
        fail(error === null ? '' : `: ${error.message}`, error)
      },
    })
    channel.send({ t: 'status' })
  })
}
