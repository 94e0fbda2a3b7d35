import type { AccessRequest, VisitEnd } from '../access/access-check.ts'
import type { Logger } from '../base/logger.ts'
import type { Config } from '../config/config.ts'
import type { ToMaster } from '../ipc/contract.ts'
import type { HookCount, HookVisit } from '../ipc/hook-facts.ts'
import { FailureLog } from './failure-log.ts'
import { type HookIdentity, hookBody } from './hook-body.ts'
import { HookCounts } from './hook-counts.ts'
import { HookGate } from './hook-gate.ts'
import { HookHttp, loadHookHttp } from './hook-http.ts'
import { HookNotifier } from './hook-notifier.ts'
import { type EndAction, type HookSettings, settingsOf, urlsOf } from './hook-settings.ts'

/** Connections to one server: for questions that clients wait for, and for what is told in the background. */
const askConnections = 32
const tellConnections = 16

const maxReplyBytes = 64 * 1024

/** How long the end of a worker may wait for what is to be told: the master waits a little longer. */
export const hookPatienceMs = { stop: 1500, drain: 5000 }

/** What the hooks need of their worker. */
export interface HooksHost {
  readonly config: Config
  readonly logger: Logger
  readonly hookIdentity: HookIdentity
  send(message: ToMaster): void
}

/** The `http_hooks` of a process with clients: asks about them, and tells when what was let in has ended. */
export class ClientHooks {
  readonly gate: HookGate
  readonly #host: HooksHost
  readonly #counts = new HookCounts()
  readonly #failures: FailureLog
  readonly #asking = new HookHttp(askConnections)
  readonly #telling = new HookHttp(tellConnections)
  readonly #notifier: HookNotifier
  /** Of the visits of this process. */
  #nextVisit = 1

  constructor(host: HooksHost) {
    this.#host = host
    this.#failures = new FailureLog(host.logger)
    this.#notifier = new HookNotifier(this.#telling, this.#counts, this.#failures)
    this.gate = new HookGate({
      get identity() {
        return host.hookIdentity
      },
      http: this.#asking,
      counts: this.#counts,
      failures: this.#failures,
      begin: (action, request, settings) => this.#begin(action, request, settings),
    })
  }

  /** Loads what calls need, if there will be any: at the first call it would hold up the process. */
  async prepare(): Promise<void> {
    if (Object.values(this.#host.config.vhosts).some(({ httpHooks }) => httpHooks.enabled))
      await loadHookHttp()
  }

  /** Tells what another process knew and cannot tell any more. What its clients had sent and got nobody knows. */
  tellInstead(visits: readonly HookVisit[]): void {
    for (const visit of visits) this.#tell(visit, settingsOf(this.#host.config, visit.vhost) ?? null)
  }

  counts(): HookCount[] {
    return this.#counts.all()
  }

  /** The process ends: tells what is left to tell, for as long as there is time. The rest is the master's. */
  async close(timeoutMs: number): Promise<void> {
    const { length: left } = await this.#notifier.settle(timeoutMs)
    if (left > 0) this.#host.logger.info({ left }, 'hooks: this process ends before all is told')
    this.#asking.close()
    this.#telling.close()
  }

  #begin(action: EndAction, request: AccessRequest, settings: HookSettings): VisitEnd {
    const { clientId, ip, vhost, app, stream, param } = request
    const id = `${clientId}-${this.#nextVisit}`
    this.#nextVisit += 1
    // Until it has ended, nobody knows better.
    const facts = action === 'on_close' ? { send_bytes: 0, recv_bytes: 0 } : {}
    const visit: HookVisit = { id, action, clientId, ip, vhost, app, stream, param, facts }
    this.#host.send({ t: 'visit-began', visit })
    return ({ sendBytes, recvBytes }) => {
      const now = settingsOf(this.#host.config, vhost)
      if (action === 'on_close') visit.facts = { send_bytes: sendBytes, recv_bytes: recvBytes }
      // One whose virtual host was removed ends as that one had it.
      this.#tell(visit, now === undefined ? settings : now)
    }
  }

  #tell(visit: HookVisit, settings: HookSettings | null): void {
    const { id, action, vhost, facts } = visit
    const urls = settings === null ? [] : urlsOf(settings, action)
    const onDone = (): void => this.#host.send({ t: 'visit-ended', id })
    if (settings === null || urls.length === 0) {
      onDone()
      return
    }
    const body = hookBody(action, this.#host.hookIdentity, visit, facts)
    const about = visit.clientId
    this.#notifier.tell({
      ...{ action, vhost, about, urls, body, id, settings, onDone, maxReplyBytes },
      method: 'POST',
    })
  }
}
