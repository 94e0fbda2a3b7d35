import type { VhostTraffic } from '../ipc/contract.ts'

/** What one client has sent and got. */
export interface ClientTraffic {
  /** Virtual host that serves it; null: it has not said what it wants. */
  readonly vhost: string | null
  readonly role: 'publish' | 'play' | null
  readonly sendBytes: number
  readonly recvBytes: number
}

/** The traffic of virtual hosts since the process began: of the clients that are here, and of those that were. */
export class Traffic {
  readonly #gone = new Map<string, VhostTraffic>()

  /** A client is gone. */
  leave(client: ClientTraffic): void {
    add(this.#gone, { ...client, role: null })
  }

  /** @param present the clients that are here */
  totals(present: Iterable<ClientTraffic>): VhostTraffic[] {
    const totals = new Map([...this.#gone].map(([vhost, traffic]) => [vhost, { ...traffic }]))
    for (const client of present) add(totals, client)
    return [...totals.values()]
  }
}

function add(totals: Map<string, VhostTraffic>, client: ClientTraffic): void {
  const { vhost, role, sendBytes, recvBytes } = client
  if (vhost === null) return
  const total = totals.get(vhost) ?? { vhost, clients: 0, sendBytes: 0, recvBytes: 0 }
  if (role !== null) total.clients += 1
  total.sendBytes += sendBytes
  total.recvBytes += recvBytes
  totals.set(vhost, total)
}
