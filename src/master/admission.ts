import { addressGroup } from '../base/address-range.ts'
import type { Config } from '../config/config.ts'
import type { AdmissionRefusal } from '../ipc/contract.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** How many connections there may be, in all and of one address (0: as many as in all). */
export type AdmissionLimits = Pick<Config, 'maxConnections' | 'maxConnectionsPerIp'>

/**
 * Counts the connections of all workers against `max_connections`, and those of each address against
 * `max_connections_per_ip`. Workers ask for each connection while its handshake goes on; the answer is there before the
 * client has said what it wants.
 */
export class Admission {
  /** For each connection whose it is. */
  readonly #members = new Map<WorkerHandle, Map<string, string>>()
  /** Connections of each address; counted also without a limit, so that one that is set later is exact. */
  readonly #byAddress = new Map<string, number>()
  limits: AdmissionLimits
  #total = 0
  /** Since the start. */
  admitted = 0
  refused = 0
  /** Of those that were admitted. */
  failed = 0

  constructor(limits: AdmissionLimits) {
    this.limits = limits
  }

  get total(): number {
    return this.#total
  }

  /** @returns why there is no room for the connection; null: it is in */
  admit(worker: WorkerHandle, connectionId: string, ip: string): AdmissionRefusal | null {
    if (this.#members.get(worker)?.has(connectionId)) return null
    const { maxConnections, maxConnectionsPerIp } = this.limits
    if (this.#total >= maxConnections) {
      return this.#refuse('CONNECTION_LIMIT', `max_connections ${maxConnections} is reached`)
    }
    const address = addressGroup(ip)
    const ofAddress = this.#byAddress.get(address) ?? 0
    if (maxConnectionsPerIp > 0 && ofAddress >= maxConnectionsPerIp) {
      const limit = `max_connections_per_ip ${maxConnectionsPerIp}`
      return this.#refuse('ADDRESS_LIMIT', `${limit} is reached by ${address}`)
    }
    const admitted = this.#membersOf(worker)
    admitted.set(connectionId, address)
    this.#byAddress.set(address, ofAddress + 1)
    this.#total += 1
    this.admitted += 1
    return null
  }

  /**
   * A connection is gone. One that was refused leaves too, and counts for nothing.
   * @param failed it ended with an error
   */
  left(worker: WorkerHandle, connectionId: string, failed: boolean): void {
    const admitted = this.#members.get(worker)
    const address = admitted?.get(connectionId)
    if (address === undefined) return
    admitted?.delete(connectionId)
    this.#forget(address)
    if (failed) this.failed += 1
  }

  /** What it still had has failed with it. */
  onWorkerLost(worker: WorkerHandle): void {
    const lost = this.#members.get(worker)
    for (const address of lost?.values() ?? []) this.#forget(address)
    this.failed += lost?.size ?? 0
    this.#members.delete(worker)
  }

  #membersOf(worker: WorkerHandle): Map<string, string> {
    let admitted = this.#members.get(worker)
    if (admitted === undefined) {
      admitted = new Map()
      this.#members.set(worker, admitted)
    }
    return admitted
  }

  #forget(address: string): void {
    this.#total -= 1
    const left = (this.#byAddress.get(address) ?? 0) - 1
    if (left > 0) this.#byAddress.set(address, left)
    else this.#byAddress.delete(address)
  }

  #refuse(code: AdmissionRefusal['code'], message: string): AdmissionRefusal {
    this.refused += 1
    return { code, message }
  }
}
