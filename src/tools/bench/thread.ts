/** The main module of a thread that makes load; plan.ts says what it and the main thread tell each other. */
import { parentPort, workerData } from 'node:worker_threads'
import { monotonicMs } from '../../base/clock.ts'
import type { FromThread, ThreadPlan, ThreadReport, ToThread } from './plan.ts'
import { createLoad, type ThreadLoad } from './thread-load.ts'

/** One run, from the first client to the report. */
class ThreadRun {
  readonly #load: ThreadLoad
  #measuredFromMs: number | null = null

  constructor(load: ThreadLoad) {
    this.#load = load
  }

  async ramp(): Promise<void> {
    await this.#load.fleet.ramp()
    tell({ kind: 'ramped' })
  }

  receive(message: ToThread): void {
    const { fleet } = this.#load
    switch (message.kind) {
      case 'sample': {
        const { up, failed, bytes } = fleet
        tell({ kind: 'sample', sample: { up, failed, bytes, done: this.#load.done() } })
        break
      }
      case 'measure':
        this.#measuredFromMs = monotonicMs()
        fleet.measure()
        this.#load.measure()
        break
      case 'finish':
        tell({ kind: 'report', report: this.#report() })
        fleet.close()
        // Nothing more will come: the thread ends with its last socket.
        port.close()
        break
    }
  }

  #report(): ThreadReport {
    const { fleet } = this.#load
    const nowMs = monotonicMs()
    const seconds = (nowMs - (this.#measuredFromMs ?? nowMs)) / 1000
    const figures = this.#load.finish()
    const { up, errors, measuredBytes: bytes } = fleet
    return { up, errors, seconds, bytes, bytesOfEach: fleet.measuredBytesOfEach(), figures }
  }
}

function tell(message: FromThread): void {
  port.postMessage(message)
}

if (parentPort === null) throw new Error('this is the main module of a thread')
const port = parentPort
const { plan, thread } = workerData as ThreadPlan
const run = new ThreadRun(await createLoad(plan, thread))
port.on('message', (message: ToThread) => run.receive(message))
await run.ramp()
