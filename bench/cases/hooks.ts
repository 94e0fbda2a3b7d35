/** Whether clients that another server is asked about (`http_hooks`) delay the media of others. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { RtmpClient } from '../../src/client/rtmp-client.ts'
import { type BenchRun, within } from '../bench-run.ts'
import { play } from '../load-tool.ts'
import { withPublishers, withServer } from '../measure.ts'
import { atMost, format, ratio } from '../report/target.ts'
import { weir } from '../servers/weir.ts'
import { apart } from '../system/placement.ts'
import type { BenchCase } from './bench-case.ts'

const connectsPerSecond = 500
const tickMs = 10

/** How often each of the two is measured, in turn; the least p99 counts: what disturbs only adds to it. */
const rounds = 3

const upTimeoutMs = 120_000

interface Sample {
  readonly p50: number | null
  readonly p99: number | null
  readonly connects: number
  readonly failed: number
  /** Calls that the hook server had. */
  readonly calls: number
}

export const hooks: BenchCase = {
  name: 'hooks',
  title: `${connectsPerSecond} connects a second that a server is asked about, beside 500 players`,
  async measure(run) {
    const server = await HookCounter.start()
    try {
      const [plain, asked]: [Sample[], Sample[]] = [[], []]
      for (let round = 0; round < rounds; round += 1) {
        plain.push(await sample(run, null))
        asked.push(await sample(run, server))
      }
      const [without, withHooks] = [least(plain), least(asked)]
      const row = (name: string, { p50, p99, connects, failed, calls }: Sample): string[] => [
        name,
        ...[connects, failed, calls].map(String),
        ...[p50, p99].map((figure) => (figure === null ? '–' : format(figure))),
      ]
      return {
        targets: [
          atMost('latency p99 of players, of that without hooks', ratio(withHooks.p99, without.p99), 1.1),
          atMost('connects that failed', withHooks.failed, 0),
        ],
        table: [
          ['', 'connects', 'failed', 'calls', 'latency p50 ms', 'latency p99 ms'],
          row('without hooks', without),
          row('on_connect, on_close', withHooks),
        ],
        charts: [],
        notes: [
          `Measured in turn, ${rounds} times each; the least p99 counts. The hook server is on the load's core.`,
        ],
        data: { plain, asked },
      }
    } finally {
      await server.close()
    }
  },
}

function least(samples: readonly Sample[]): Sample {
  return samples.toSorted((a, b) => (a.p99 ?? Infinity) - (b.p99 ?? Infinity))[0]!
}

/** Players of one stream while others connect and leave. */
function sample(run: BenchRun, hookServer: HookCounter | null): Promise<Sample> {
  const setup = weir({ workers: 1, ...(hookServer === null ? {} : { hooks: hookServer.url }) })
  return withServer(run, setup, apart, (server) =>
    withPublishers(run, server, { clip: 500, streams: 1 }, apart, async () => {
      const players = run.count(500)
      const playing = play({ url: server.url('s_0'), players, seconds: run.seconds, coreList: apart.load })
      const callsBefore = hookServer?.calls ?? 0
      const crowd = new Crowd(server.url('other'), run.count(connectsPerSecond))
      try {
        await within(upTimeoutMs, playing.started, 'the load tool does not begin to measure')
        crowd.start()
        const { latencyMs } = await within(upTimeoutMs, playing.result, 'the load tool does not report')
        await crowd.stop()
        const calls = (hookServer?.calls ?? 0) - callsBefore
        return { p50: latencyMs?.p50 ?? null, p99: latencyMs?.p99 ?? null, ...crowd.counts, calls }
      } finally {
        await crowd.stop()
        await playing.stop()
      }
    }),
  )
}

/** Clients that connect and leave, so many a second. */
class Crowd {
  readonly #url: string
  readonly #perSecond: number
  readonly #open = new Set<Promise<void>>()
  #timer: NodeJS.Timeout | null = null
  #connects = 0
  #failed = 0

  constructor(url: string, perSecond: number) {
    this.#url = url
    this.#perSecond = perSecond
  }

  get counts() {
    return { connects: this.#connects, failed: this.#failed }
  }

  start(): void {
    const begin = performance.now()
    let begun = 0
    this.#timer = setInterval(() => {
      const due = Math.floor(((performance.now() - begin) / 1000) * this.#perSecond)
      for (; begun < due; begun += 1) this.#track(this.#connect())
    }, tickMs)
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    await Promise.all(this.#open)
  }

  async #connect(): Promise<void> {
    try {
      const client = await RtmpClient.connect(this.#url, { handshake: 'simple' })
      this.#connects += 1
      client.close()
    } catch {
      this.#failed += 1
    }
  }

  #track(work: Promise<void>): void {
    const tracked: Promise<void> = work.finally(() => this.#open.delete(tracked))
    this.#open.add(tracked)
  }
}

/** A hook server that accepts everybody. */
class HookCounter {
  calls = 0
  readonly #server = createServer((request, response) => {
    request.resume().once('end', () => {
      this.calls += 1
      response.end('0')
    })
  })

  static async start(): Promise<HookCounter> {
    const counter = new HookCounter()
    counter.#server.listen(0, '127.0.0.1')
    await once(counter.#server, 'listening')
    return counter
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }
}
