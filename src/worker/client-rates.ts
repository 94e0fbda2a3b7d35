import type { ByteRates, ClientInfo, StreamAudience, VhostTraffic } from '../ipc/contract.ts'
import { type ByteCounts, RateBook } from './byte-rates.ts'

/** As a worker counts it, without rates. */
export type Counted<T> = Omit<T, keyof ByteRates>

/** What a worker has counted. */
export interface Counters {
  readonly clients: ReadonlyMap<string, ByteCounts>
  /** Of all streams that it sends. */
  sent(): Iterable<Pick<StreamAudience, 'stream' | 'sendBytes'>>
  traffic(): readonly Counted<VhostTraffic>[]
}

/** The rates of a worker's clients, of the streams that it sends, and of its virtual hosts. */
export class ClientRates {
  readonly #clients: RateBook
  readonly #streams: RateBook
  readonly #vhosts: RateBook

  constructor(nowMs: number) {
    this.#clients = new RateBook(nowMs)
    this.#streams = new RateBook(nowMs)
    this.#vhosts = new RateBook(nowMs)
  }

  /** To be called about once a second. */
  sweep(nowMs: number, counters: Counters): void {
    if (!this.#clients.isDue(nowMs)) return
    this.#clients.sample(nowMs, counters.clients)
    this.#streams.sample(nowMs, pairs(counters.sent()))
    this.#vhosts.sample(
      nowMs,
      counters.traffic().map((traffic) => [traffic.vhost, traffic] as const),
    )
  }

  ofClient(nowMs: number, client: Counted<ClientInfo>): ByteRates {
    return this.#clients.rates(nowMs, client.id, client)
  }

  ofStream(nowMs: number, audience: Counted<StreamAudience>): StreamAudience {
    const { sendKbps } = this.#streams.rates(nowMs, audience.stream, sentOnly(audience))
    return { ...audience, sendKbps }
  }

  ofVhost(nowMs: number, traffic: Counted<VhostTraffic>): VhostTraffic {
    return { ...traffic, ...this.#vhosts.rates(nowMs, traffic.vhost, traffic) }
  }
}

function* pairs(sent: ReturnType<Counters['sent']>): Iterable<readonly [string, ByteCounts]> {
  for (const stream of sent) yield [stream.stream, sentOnly(stream)]
}

function sentOnly({ sendBytes }: Pick<ByteCounts, 'sendBytes'>): ByteCounts {
  return { sendBytes, recvBytes: 0 }
}
