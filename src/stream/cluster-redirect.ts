import {
  type AccessAction,
  type AccessCheck,
  type AccessRequest,
  accepted,
  type Verdict,
} from '../access/access-check.ts'
import type { Config, VhostConfig } from '../config/config.ts'
import { streamId } from '../live/stream-key.ts'
import type { Locator } from '../worker/locator.ts'

/**
 * `cluster { redirect on; }`: who wants to play a stream that another node owns is sent there. It is asked before http_hooks are:
 * the other node asks them. (A publish is asked of the master anyway, which answers with the other node.)
 */
export class ClusterRedirect implements AccessCheck {
  readonly name = 'cluster'
  readonly #config: () => Config
  readonly #locator: Locator

  constructor(config: () => Config, locator: Locator) {
    this.#config = config
    this.#locator = locator
  }

  applies(action: AccessAction, vhost: VhostConfig): boolean {
    const { registry, redirect } = this.#config().cluster
    return redirect && registry === 'redis' && action === 'play' && vhost.cluster.mode !== 'remote'
  }

  async check({ vhost, app, stream }: AccessRequest): Promise<Verdict> {
    const { node, rtmp } = await this.#locator.locate(streamId({ vhost, app, stream }))
    if (rtmp === '') return accepted
    const message = `the stream is at node ${node}`
    return { ok: false, code: 'STREAM_ELSEWHERE', message, redirect: rtmp }
  }
}
