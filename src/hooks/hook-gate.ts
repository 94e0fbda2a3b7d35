import type { AccessAction, AccessCheck, AccessRequest, Decision, VisitEnd } from '../access/access-check.ts'
import { codeOf, messageOf, WeirError } from '../base/errors.ts'
import type { VhostConfig } from '../config/config.ts'
import type { FailureLog } from './failure-log.ts'
import { type HookFacts, type HookIdentity, hookBody, hookHeaders } from './hook-body.ts'
import type { HookCounts } from './hook-counts.ts'
import { type HookHttp, isStaleConnection, whereOf } from './hook-http.ts'
import { readReply } from './hook-reply.ts'
import {
  acceptsOnError,
  type EndAction,
  type GateAction,
  type HookSettings,
  urlsOf,
} from './hook-settings.ts'

/** More of an answer is not read: what is asked is answered in a few bytes. */
const maxReplyBytes = 64 * 1024

const gates: Readonly<Record<AccessAction, GateAction>> = {
  connect: 'on_connect',
  publish: 'on_publish',
  play: 'on_play',
}

/** What is told when a thing has ended. */
const ends: Readonly<Record<GateAction, EndAction>> = {
  on_connect: 'on_close',
  on_publish: 'on_unpublish',
  on_play: 'on_stop',
}

/** What the gate needs of its process. */
export interface HookGateHost {
  readonly identity: HookIdentity
  readonly http: HookHttp
  readonly counts: HookCounts
  readonly failures: FailureLog
  /** Something was let in: what follows when it ends. */
  begin(action: EndAction, request: AccessRequest, settings: HookSettings): VisitEnd
}

/** Asks the servers of `http_hooks` about clients: all of them, one after the other, have to accept. */
export class HookGate implements AccessCheck {
  readonly name = 'hooks'
  readonly #host: HookGateHost

  constructor(host: HookGateHost) {
    this.#host = host
  }

  applies(action: AccessAction, { httpHooks }: VhostConfig): boolean {
    if (!httpHooks.enabled) return false
    const gate = gates[action]
    return urlsOf(httpHooks, gate).length > 0 || urlsOf(httpHooks, ends[gate]).length > 0
  }

  check(request: AccessRequest, { httpHooks }: VhostConfig): Decision {
    const action = gates[request.action]
    const urls = urlsOf(httpHooks, action)
    if (urls.length === 0) return { ok: true, end: this.#host.begin(ends[action], request, httpHooks) }
    return this.#askAll(action, urls, request, httpHooks)
  }

  async #askAll(
    action: GateAction,
    urls: readonly string[],
    request: AccessRequest,
    settings: HookSettings,
  ): Promise<Awaited<Decision>> {
    const body = hookBody(action, this.#host.identity, request, factsOf(action, request))
    for (const url of urls) {
      try {
        await this.#ask(action, url, body, settings)
      } catch (error) {
        if (codeOf(error) === 'HOOK_REFUSED')
          return { ok: false, code: 'HOOK_REFUSED', message: messageOf(error) }
        const isLetIn = acceptsOnError(settings, action)
        const what = `${isLetIn ? 'let in' : 'refused'} a client about which a server could not be asked`
        this.#host.failures.failed(request.vhost, action, error, what)
        // Why is for the log: where the servers are is nothing for clients.
        if (!isLetIn) return { ok: false, code: 'HOOK_FAILED', message: `${action} could not be asked` }
      }
    }
    return { ok: true, end: this.#host.begin(ends[action], request, settings) }
  }

  /** @throws WeirError HOOK_REFUSED or HOOK_FAILED */
  async #ask(action: GateAction, url: string, body: string, settings: HookSettings): Promise<void> {
    const count = this.#host.counts.of(action)
    const beganAt = performance.now()
    try {
      const { status, body: reply, isCut } = await this.#call(url, body, settings, beganAt)
      if (isCut)
        throw new WeirError('HOOK_FAILED', `${whereOf(url)}: answers more than ${maxReplyBytes} bytes`)
      const said = readReply(status, reply)
      if (said.means === 'error') throw new WeirError('HOOK_FAILED', `${whereOf(url)}: ${said.why}`)
      if (said.means === 'no') throw new WeirError('HOOK_REFUSED', `${action}: the server asked ${said.why}`)
      count.answered += 1
    } catch (error) {
      if (codeOf(error) === 'HOOK_REFUSED') count.refused += 1
      else count.failed += 1
      throw error
    } finally {
      count.seconds += (performance.now() - beganAt) / 1000
    }
  }

  /** A kept connection may be closed by the server just when it is used again: that is no failure of the server. */
  async #call(url: string, body: string, settings: HookSettings, beganAt: number) {
    const call = () => {
      const timeoutMs = Math.max(1, Math.ceil(settings.hookTimeout * 1000 - (performance.now() - beganAt)))
      const headers = hookHeaders(settings.hookSecret, body)
      return this.#host.http.request({
        method: 'POST',
        url,
        headers,
        body,
        timeoutMs,
        maxBytes: maxReplyBytes,
      })
    }
    try {
      return await call()
    } catch (error) {
      if (!isStaleConnection(error)) throw error
      return call()
    }
  }
}

function factsOf(action: GateAction, { tcUrl, pageUrl }: AccessRequest): HookFacts {
  switch (action) {
    case 'on_connect':
      return { tcUrl, pageUrl }
    case 'on_publish':
      return { tcUrl }
    default:
      return { pageUrl }
  }
}
