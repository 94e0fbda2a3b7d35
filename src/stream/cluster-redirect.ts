import type { AccessAction, AccessCheck, AccessRequest, Verdict } from '../access/access-check.ts'
import { accepted } from '../access/access-check.ts'
import type { Config, VhostConfig } from '../config/config.ts'
import type { FromMaster, ToMaster } from '../ipc/contract.ts'
import { streamId } from '../live/stream-key.ts'

/**
 * `cluster { redirect on; }`: who wants to play a stream that another node owns is sent there. It is asked before http_hooks are:
 * the other node asks them. (A publish is asked of the master anyway, which answers with the other node.)
 */
export class ClusterRedirect implements AccessCheck {
  readonly name = 'cluster'
  readonly #config: () => Config
  readonly #send: (message: ToMaster) => void
  readonly #waiting = new Map<number, (owner: Located) => void>()
  #next = 1

  constructor(config: () => Config, send: (message: ToMaster) => void) {
    this.#config = config
    this.#send = send
  }

  applies(action: AccessAction, vhost: VhostConfig): boolean {
    const { registry, redirect } = this.#config().cluster
    return redirect && registry === 'redis' && action === 'play' && vhost.cluster.mode !== 'remote'
  }

  check({ vhost, app, stream }: AccessRequest): Promise<Verdict> {
    const request = this.#next
    this.#next += 1
    this.#send({ t: 'locate', request, stream: streamId({ vhost, app, stream }) })
    return new Promise((resolve) => {
      this.#waiting.set(request, ({ node, rtmp }) => {
        const message = `the stream is at node ${node}`
        resolve(rtmp === '' ? accepted : { ok: false, code: 'STREAM_ELSEWHERE', message, redirect: rtmp })
      })
    })
  }

  /** The master has answered. */
  onLocated(message: Located): void {
    this.#waiting.get(message.request)?.(message)
    this.#waiting.delete(message.request)
  }
}

type Located = Extract<FromMaster, { t: 'located' }>
