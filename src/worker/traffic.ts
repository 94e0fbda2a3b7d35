import type { VhostTraffic } from '../ipc/contract.ts'
import type { Counted } from './client-rates.ts'

/** What one client has sent and got. */
export interface ClientTraffic {
  /** Virtual host that serves it; null: it has not said what it wants. */
  readonly vhost: string | null
  readonly role: 'publish' | 'play' | null
  /** `rtmp`, `http-flv` … */
  readonly protocol: string
  readonly sendBytes: number
  readonly recvBytes: number
}

/** The traffic of virtual hosts since the process began: of the clients that are here, and of those that were. */
export class Traffic {
  readonly #gone = new Map<string, Counted<VhostTraffic>>()

  /** A client is gone. */
  leave(client: ClientTraffic): void {
    add(this.#gone, client, null)
  }

  /** @param present the clients that are here */
  totals(present: Iterable<ClientTraffic>): Counted<VhostTraffic>[] {
    const totals = new Map([...this.#gone].map(([vhost, traffic]) => [vhost, { ...traffic, players: {} }]))
    for (const client of present) add(totals, client, client.role)
    return [...totals.values()]
  }
}

function add(
  totals: Map<string, Counted<VhostTraffic>>,
  client: ClientTraffic,
  role: ClientTraffic['role'],
): void {
  const { vhost, protocol, sendBytes, recvBytes } = client
  if (vhost === null) return
  const total = totals.get(vhost) ?? {
    vhost,
    publishers: 0,
    players: {},
    sendBytes: 0,
    recvBytes: 0,
    streams: 0,
  }
  if (role === 'publish') total.publishers += 1
  else if (role === 'play') total.players[protocol] = (total.players[protocol] ?? 0) + 1
  total.sendBytes += sendBytes
  total.recvBytes += recvBytes
  totals.set(vhost, total)
}
