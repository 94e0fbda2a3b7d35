/** One run of the load tool: brings the clients up, waits, measures, and tells an output of it. */
import { monotonicMs } from '../../base/clock.ts'
import { LoadThread } from './load-thread.ts'
import type { Plan, Sample } from './plan.ts'
import { type Result, resultOf } from './result.ts'

export interface RunOptions {
  readonly plan: Plan
  /** How long to measure; null: until `stop`. Ends earlier when all clients have failed or have sent all they had. */
  readonly seconds: number | null
  /** How long to wait before that, for what the clients got at their start to be over, in ms. */
  readonly settleMs: number
  /** Ends the run early; there is a result anyway. */
  readonly stop: AbortSignal
  readonly output: Output
}

/** Where a run tells how it goes. */
export interface Output {
  /** All clients are up or have failed. */
  up(clients: number, errors: number): void
  /** The measurement begins. */
  start(): void
  /** Once a second. */
  progress(progress: Progress): void
  result(result: Result): void
}

export interface Progress {
  /** Clients that are up. */
  readonly clients: number
  readonly errors: number
  /** Megabits in the last second, of all clients. */
  readonly mbps: number
}

const progressIntervalMs = 1000

/**
 * Runs to the end.
 * @throws WeirError FLV_FORMAT, BENCH_OPTION, RTMP_NAME; the system's error when the clip cannot be read
 */
export async function runLoad(options: RunOptions): Promise<Result> {
  const run = new Run(options)
  try {
    return await run.run()
  } finally {
    run.terminate()
  }
}

class Run {
  readonly #options: RunOptions
  readonly #threads: readonly LoadThread[]
  readonly #ticker: NodeJS.Timeout
  readonly #stopped: Promise<void>
  /** Resolves when nothing more can be measured: no client is up, or those that are have sent all they had. */
  readonly #done = Promise.withResolvers<void>()
  #lastBytes = 0
  #lastMs = monotonicMs()

  constructor(options: RunOptions) {
    const { plan, stop } = options
    this.#options = options
    this.#threads = Array.from({ length: plan.threads }, (_, thread) => new LoadThread(plan, thread))
    this.#ticker = setInterval(() => void this.#tick(), progressIntervalMs)
    this.#stopped = new Promise((resolve) => {
      if (stop.aborted) resolve()
      else stop.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  async run(): Promise<Result> {
    return Promise.race([this.#phases(), ...this.#threads.map(({ failed }) => failed)])
  }

  terminate(): void {
    clearInterval(this.#ticker)
    for (const thread of this.#threads) thread.terminate()
  }

  async #phases(): Promise<Result> {
    const { plan, seconds, settleMs, output } = this.#options
    await Promise.race([this.#all(({ ramped }) => ramped), this.#stopped])
    const { up, failed } = await this.#sample()
    output.up(up, failed)
    await this.#pause(settleMs)

    for (const thread of this.#threads) thread.measure()
    const cpuBefore = process.cpuUsage()
    output.start()
    await this.#pause(seconds === null ? null : seconds * 1000)

    const reports = await this.#all((thread) => thread.finish())
    const { user, system } = process.cpuUsage(cpuBefore)
    clearInterval(this.#ticker)
    const result = resultOf(plan, reports, (user + system) / 1e6)
    output.result(result)
    await this.#all((thread) => thread.ended())
    return result
  }

  /** @param ms null: as long as nothing else ends it */
  async #pause(ms: number | null): Promise<void> {
    const time = Promise.withResolvers<void>()
    const timer = ms === null ? undefined : setTimeout(time.resolve, ms)
    await Promise.race([time.promise, this.#stopped, this.#done.promise])
    clearTimeout(timer)
  }

  async #tick(): Promise<void> {
    const { up, failed, bytes } = await this.#sample()
    const nowMs = monotonicMs()
    const mbps = ((bytes - this.#lastBytes) * 8) / (nowMs - this.#lastMs) / 1e3
    this.#lastBytes = bytes
    this.#lastMs = nowMs
    this.#options.output.progress({ clients: up, errors: failed, mbps: Math.round(mbps * 10) / 10 })
  }

  /** Of all threads together. */
  async #sample(): Promise<Sample> {
    const samples = await this.#all((thread) => thread.sample())
    const sum = (key: keyof Sample) => samples.reduce((total, sample) => total + sample[key], 0)
    const [up, failed, done] = [sum('up'), sum('failed'), sum('done')]
    if (up === done && up + failed === this.#options.plan.clients) this.#done.resolve()
    return { up, failed, bytes: sum('bytes'), done }
  }

  async #all<T>(ask: (thread: LoadThread) => Promise<T>): Promise<T[]> {
    return Promise.all(this.#threads.map(ask))
  }
}
