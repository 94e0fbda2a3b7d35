import { monotonicMs } from '../base/clock.ts'
import { nodeCrypto } from '../base/node-builtins.ts'
import type { VhostConfig } from '../config/config.ts'
import type { AccessAction, AccessCheck, AccessRequest, Verdict } from './access-check.ts'

/** How long a verdict counts, in milliseconds. */
const acceptedMs = 30_000
const refusedMs = 3000

/** Of so many clients; beyond, the one asked about longest ago is asked about anew. */
const maxVerdicts = 10_000

interface Remembered {
  readonly verdict: Promise<Verdict>
  /** Not yet decided: Infinity. */
  untilMs: number
}

/**
 * A check by another server for clients that come back all the time: a player of HLS does for each playlist and
 * segment. What was decided about an address, a stream and a query counts for a while; nobody hears of ends.
 */
export class RememberedCheck implements AccessCheck {
  readonly name: string
  readonly #check: AccessCheck
  /** The one asked about longest ago first. */
  readonly #verdicts = new Map<string, Remembered>()

  constructor(check: AccessCheck) {
    this.name = check.name
    this.#check = check
  }

  applies(action: AccessAction, vhost: VhostConfig): boolean {
    return this.#check.applies(action, vhost)
  }

  check(request: AccessRequest, vhost: VhostConfig): Promise<Verdict> {
    const key = keyOf(request)
    const known = this.#verdicts.get(key)
    if (known !== undefined && known.untilMs > monotonicMs()) return known.verdict
    this.#verdicts.delete(key)
    const verdict = Promise.resolve(this.#check.check(request, vhost))
    const remembered = { verdict, untilMs: Number.POSITIVE_INFINITY }
    this.#verdicts.set(key, remembered)
    const [oldest] = this.#verdicts.keys()
    if (this.#verdicts.size > maxVerdicts && oldest !== undefined) this.#verdicts.delete(oldest)
    verdict.then(
      ({ ok }) => {
        remembered.untilMs = monotonicMs() + (ok ? acceptedMs : refusedMs)
      },
      // Whoever asked hears of it; the next one asks anew.
      () => this.#verdicts.delete(key),
    )
    return verdict
  }
}

/** What a verdict is about. Queries, tokens and addresses of pages may be long: a hash stands for all of it. */
function keyOf({ action, ip, vhost, app, stream, param, bearer = '', pageUrl }: AccessRequest): string {
  const about = JSON.stringify([action, ip, vhost, app, stream, param, bearer, pageUrl])
  return nodeCrypto().hash('sha256', about, 'base64url')
}
