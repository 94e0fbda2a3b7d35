import { codeOf, messageOf } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { VhostConfig } from '../config/config.ts'
import {
  type AccessAction,
  type AccessCheck,
  type AccessRequest,
  accepted,
  type Decision,
  type Refused,
  type Verdict,
  type VisitEnd,
} from './access-check.ts'

/** One after the other; a later one is not taken before the one ahead of it has passed. */
type Step = () => Decision

/**
 * Whether clients may connect, publish and play: one for each process with clients. Checks of this process come first,
 * in the order security, refer, auth; then other servers are asked. Where no check applies nothing happens, and
 * where nobody else is asked the verdict is there at once.
 */
export class AccessPipeline {
  readonly #logger: Logger
  readonly #local: readonly AccessCheck[]
  readonly #remote: readonly AccessCheck[]

  /**
   * @param local need nobody else
   * @param remote ask other servers: they are asked about clients only that pass the others
   */
  constructor(logger: Logger, local: readonly AccessCheck[], remote: readonly AccessCheck[]) {
    this.#logger = logger
    this.#local = local
    this.#remote = remote
  }

  /** Whether a client has to be checked: if not, it may, and no request has to be made. */
  applies(action: AccessAction, vhost: VhostConfig): boolean {
    return anyApplies(this.#local, action, vhost) || anyApplies(this.#remote, action, vhost)
  }

  /** The same of the checks of this process alone. */
  appliesLocally(action: AccessAction, vhost: VhostConfig): boolean {
    return anyApplies(this.#local, action, vhost)
  }

  /**
   * Decides. The promise, if it is one, is never rejected: what fails refuses.
   * @param room asked before other servers are: whether what they might accept would be possible
   */
  check(request: AccessRequest, vhost: VhostConfig, room?: Step): Decision {
    const remote = this.#steps(this.#remote, request, vhost)
    const between = room === undefined || remote.length === 0 ? [] : [this.#guarded('room', room)]
    return take([...this.#steps(this.#local, request, vhost), ...between, ...remote])
  }

  /** Decides without asking other servers: for the further requests of a client that was let in, and for probes. */
  checkLocally(request: AccessRequest, vhost: VhostConfig): Decision {
    return take(this.#steps(this.#local, request, vhost))
  }

  #steps(checks: readonly AccessCheck[], request: AccessRequest, vhost: VhostConfig): Step[] {
    return checks
      .filter((check) => check.applies(request.action, vhost))
      .map((check) => this.#guarded(check.name, () => check.check(request, vhost)))
  }

  /** A step that fails by itself lets nobody in. */
  #guarded(name: string, step: Step): Step {
    const refuse = (error: unknown): Refused => {
      this.#logger.error({ code: codeOf(error), err: error }, `access: ${name} failed: ${messageOf(error)}`)
      return { ok: false, code: 'ACCESS_FAILED', message: `${name} could not be checked` }
    }
    return () => {
      try {
        const decision = step()
        return decision instanceof Promise ? decision.catch(refuse) : decision
      } catch (error) {
        return refuse(error)
      }
    }
  }
}

function anyApplies(checks: readonly AccessCheck[], action: AccessAction, vhost: VhostConfig): boolean {
  for (const check of checks) if (check.applies(action, vhost)) return true
  return false
}

/** @param ends of the steps that have passed */
function take(steps: readonly Step[], ends: readonly VisitEnd[] = []): Decision {
  const [step, ...others] = steps
  if (step === undefined) return passed(ends)
  const decision = step()
  const goOn = (verdict: Verdict): Decision => {
    if (verdict.ok) return take(others, verdict.end === undefined ? ends : [...ends, verdict.end])
    for (const end of ends) end({ sendBytes: 0, recvBytes: 0 })
    return verdict
  }
  return decision instanceof Promise ? decision.then(goOn) : goOn(decision)
}

function passed(ends: readonly VisitEnd[]): Verdict {
  if (ends.length === 0) return accepted
  return {
    ok: true,
    end: (traffic) => {
      for (const end of ends) end(traffic)
    },
  }
}
