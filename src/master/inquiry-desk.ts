import { codeOf } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { encodeAnswer } from '../ipc/answer-codec.ts'
import type { Answer, Question, ReloadOutcome, ServerFacts, StreamId } from '../ipc/contract.ts'
import { ProcessMeter } from '../worker/process-meter.ts'
import { inquire } from './inquiry.ts'
import { sentBefore, streamsByVhost } from './source-facts.ts'
import type { SourceTable } from './source-table.ts'
import { ToldBytes } from './told-bytes.ts'
import type { WorkerHandle, WorkMessage } from './worker-handle.ts'

/** What the desk needs of the master. */
export interface InquiryHost {
  readonly table: SourceTable
  workers(): readonly WorkerHandle[]
  facts(): ServerFacts
  reload(): Promise<ReloadOutcome>
}

/** Answers what HTTP workers ask: what the processes say, and what the master itself has to say. */
export class InquiryDesk {
  readonly #host: InquiryHost
  readonly #logger: Logger
  readonly #meter = new ProcessMeter()
  readonly #told = new ToldBytes()

  constructor(host: InquiryHost, logger: Logger) {
    this.#host = host
    this.#logger = logger
  }

  onInquire(worker: WorkerHandle, message: Extract<WorkMessage, { t: 'inquire' }>): void {
    this.#report(worker, message).catch((error: unknown) => {
      this.#logger.error({ code: codeOf(error), err: error }, 'an inquiry could not be answered')
    })
  }

  /** A worker lets a stream go: it says in the same breath what it had sent of it. */
  onUnwatch(worker: WorkerHandle, stream: StreamId): void {
    this.#told.onUnwatch(worker, stream)
  }

  onExit(worker: WorkerHandle): void {
    this.#told.onExit(worker, this.#host.table.sources)
  }

  async #report(worker: WorkerHandle, message: Extract<WorkMessage, { t: 'inquire' }>): Promise<void> {
    const { inquiry, question, pids } = message
    const answers = await inquire(this.#host.workers(), question, pids, (asked, answer) => {
      this.#told.onAnswer(asked, question, answer)
    })
    const own = pids === null ? await this.#answer(question) : null
    if (own !== null) {
      const answer = encodeAnswer(own)
      answers.push({ role: 'master', index: 0, pid: process.pid, ready: true, answer })
    }
    worker.send({ t: 'report', inquiry, server: this.#host.facts(), answers })
  }

  /** What this process itself has to say, if anything. */
  async #answer(question: Question): Promise<Answer | null> {
    const { table } = this.#host
    switch (question.ask) {
      case 'status': {
        const facts = this.#meter.read()
        return { of: 'status', status: { role: 'master', index: 0, ...facts, connections: 0, streams: [] } }
      }
      case 'usage':
        return { of: 'usage', usage: process.resourceUsage() }
      case 'audience':
        return { of: 'audience', audience: sentBefore(table.sources, question.streams) }
      case 'traffic':
        return { of: 'traffic', traffic: [...this.#told.traffic(), ...streamsByVhost(table.sources)] }
      case 'unpublish':
        return { of: 'unpublish', unpublished: table.unpublishByTag(question.tag) }
      case 'reload':
        return { of: 'reload', outcome: await this.#host.reload() }
      default:
        return null
    }
  }
}
