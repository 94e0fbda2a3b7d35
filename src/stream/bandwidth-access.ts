import {
  type AccessAction,
  type AccessCheck,
  type AccessRequest,
  accepted,
  type Decision,
  type Verdict,
} from '../access/access-check.ts'
import type { VhostConfig } from '../config/config.ts'
import type { ToMaster } from '../ipc/contract.ts'
import { bandwidthKey } from './bandwidth-check.ts'

/** Whether clients that come for a bandwidth check may have one: they know the key, and the last is long enough ago. */
export class BandwidthAccess implements AccessCheck {
  readonly name = 'bandcheck'
  readonly #send: (message: ToMaster) => void
  /** Who waits for the master's answer, by connection id. */
  readonly #waiting = new Map<string, (allowed: boolean) => void>()

  constructor(send: (message: ToMaster) => void) {
    this.#send = send
  }

  applies(action: AccessAction, { bandcheck }: VhostConfig): boolean {
    return action === 'connect' && bandcheck.enabled
  }

  check({ clientId, vhost, param }: AccessRequest, { bandcheck }: VhostConfig): Decision {
    const key = bandwidthKey(bandcheck, param)
    if (key === 'none') return accepted
    if (key === 'wrong') {
      return { ok: false, code: 'BANDWIDTH_KEY', message: 'the key of the bandwidth check is wrong' }
    }
    this.#send({ t: 'check-bandwidth', connectionId: clientId, vhost })
    return new Promise<Verdict>((resolve) => {
      this.#waiting.set(clientId, (allowed) => {
        const message = `here a bandwidth check may begin every ${bandcheck.interval} s`
        resolve(allowed ? accepted : { ok: false, code: 'BANDWIDTH_TOO_SOON', message })
      })
    })
  }

  /** The master has answered. */
  onAnswer(connectionId: string, allowed: boolean): void {
    this.#waiting.get(connectionId)?.(allowed)
    this.#waiting.delete(connectionId)
  }
}
