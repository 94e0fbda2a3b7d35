import type { Config } from '../config/config.ts'
import type { FromMaster, ToMaster } from '../ipc/contract.ts'

/** When each virtual host had its last bandwidth check: the time between two holds for all workers together. */
export class BandwidthChecks {
  readonly #config: () => Pick<Config, 'vhosts'>
  readonly #lastMs = new Map<string, number>()

  /** @param config the one in force */
  constructor(config: () => Pick<Config, 'vhosts'>) {
    this.#config = config
  }

  /** Whether a check may begin now; if so, it counts as the last one. */
  answer(
    { connectionId, vhost }: Extract<ToMaster, { t: 'check-bandwidth' }>,
    nowMs: number,
  ): Extract<FromMaster, { t: 'bandwidth-answer' }> {
    const intervalMs = (this.#config().vhosts[vhost]?.bandcheck.interval ?? 0) * 1000
    const lastMs = this.#lastMs.get(vhost)
    const allowed = lastMs === undefined || nowMs - lastMs >= intervalMs
    if (allowed) this.#lastMs.set(vhost, nowMs)
    return { t: 'bandwidth-answer', connectionId, allowed }
  }
}
