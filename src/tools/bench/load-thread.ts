/** A thread that makes load, as the main thread sees it. */
import { Worker } from 'node:worker_threads'
import type { FromThread, Plan, Sample, ThreadPlan, ThreadReport, ToThread } from './plan.ts'

/** Built (see rolldown.config.mjs) or, in tests, as it is written. */
const main = new URL(
  import.meta.url.endsWith('.ts') ? './thread.ts' : '../bench-thread/main.js',
  import.meta.url,
)

/** How long the last bytes of the clients may take, in ms. */
const lingerMs = 2000

export class LoadThread {
  readonly #worker: Worker
  readonly #exited: Promise<unknown>
  readonly #ramped = Promise.withResolvers<void>()
  readonly #failed = Promise.withResolvers<never>()
  readonly #report = Promise.withResolvers<ThreadReport>()
  readonly #askedSamples: ((sample: Sample) => void)[] = []

  /** @param thread 0 .. plan.threads - 1 */
  constructor(plan: Plan, thread: number) {
    const workerData: ThreadPlan = { plan, thread }
    this.#worker = new Worker(main, { workerData })
    this.#worker.on('message', (message: FromThread) => this.#receive(message))
    this.#worker.on('error', (error) => this.#failed.reject(error))
    this.#exited = new Promise((resolve) => this.#worker.once('exit', resolve))
  }

  /** Rejects if the thread dies: a clip that cannot be read or used, or a bug. Never resolves. */
  get failed(): Promise<never> {
    return this.#failed.promise
  }

  /** When all its clients are up or have failed. */
  get ramped(): Promise<void> {
    return this.#ramped.promise
  }

  async sample(): Promise<Sample> {
    const { promise, resolve } = Promise.withResolvers<Sample>()
    this.#askedSamples.push(resolve)
    this.#tell({ kind: 'sample' })
    return promise
  }

  /** What {@link finish} reports is counted from now on. */
  measure(): void {
    this.#tell({ kind: 'measure' })
  }

  /** Ends the measurement; the clients take their leave. */
  async finish(): Promise<ThreadReport> {
    this.#tell({ kind: 'finish' })
    return this.#report.promise
  }

  /** Resolves when the thread is gone; one that doesn't end by itself in 2 s is ended. */
  async ended(): Promise<void> {
    const timer = setTimeout(() => this.terminate(), lingerMs)
    await this.#exited
    clearTimeout(timer)
  }

  terminate(): void {
    void this.#worker.terminate()
  }

  #receive(message: FromThread): void {
    switch (message.kind) {
      case 'ramped':
        this.#ramped.resolve()
        break
      case 'sample':
        this.#askedSamples.shift()?.(message.sample)
        break
      case 'report':
        this.#report.resolve(message.report)
        break
    }
  }

  #tell(message: ToThread): void {
    this.#worker.postMessage(message)
  }
}
