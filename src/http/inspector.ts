import { monotonicMs } from '../base/clock.ts'
import { WeirError } from '../base/errors.ts'
import { decodeAnswer } from '../ipc/answer-codec.ts'
import type { ClusterStatus } from '../ipc/cluster-facts.ts'
import {
  type Answer,
  type FromMaster,
  maxPageSize,
  type Question,
  type ReloadOutcome,
  type ServerFacts,
  type StreamAudience,
  type StreamInfo,
  type ToMaster,
} from '../ipc/contract.ts'
import type { HookCount } from '../ipc/hook-facts.ts'
import type { ProgramFacts } from '../ipc/program-facts.ts'
import { entriesJson } from '../worker/client-json.ts'
import { SharedInquiries } from './shared-inquiries.ts'
import {
  hookTotals,
  type Page,
  type ProcessView,
  pick,
  processViews,
  type Report,
  type StreamView,
  streamViews,
  sumOf,
  type TrafficView,
  trafficViews,
} from './views.ts'

/** Inquiries that may be under way: who asks faster than the processes answer is refused. */
const maxInquiries = 64

/** How long the master may take, in milliseconds; it waits a second for the processes. */
const reportTimeoutMs = 3000

/** A reload opens new addresses, and waits for those before it. */
const reloadTimeoutMs = 15_000

/**
 * What processes said of themselves is good for so long, and asked for anew when it is half as old, in milliseconds: it is
 * about the last 5 to 10 seconds anyway.
 */
const recentMs = 2000

/** With no more streams than this, who watches them is asked at the same time as which there are. */
const maxFewStreams = 50

interface Pending {
  readonly resolve: (report: Report) => void
  readonly timer: NodeJS.Timeout
}

/** Asks all processes of the server, through the master, and puts their answers together. */
export class Inspector {
  readonly #send: (message: ToMaster) => void
  readonly #pending = new Map<number, Pending>()
  readonly #shared = new SharedInquiries<Report>()
  #next = 1
  #status: { readonly processes: ProcessView[]; readonly atMs: number } | null = null
  /** Length of the list of streams when it was last asked for. */
  #streamsTotal = 0

  constructor(send: (message: ToMaster) => void) {
    this.#send = send
  }

  /** The status of the server and of every process, the master's first. */
  async status(): Promise<{ server: ServerFacts; processes: ProcessView[] }> {
    const { server, answers } = await this.#ask({ ask: 'status' })
    const processes = processViews(answers)
    this.#status = { processes, atMs: monotonicMs() }
    return { server, processes }
  }

  /**
   * The processes as they were at most two seconds ago. Every process is woken up for its status, and the slowest is waited
   * for: whoever asks often does not wait for that.
   */
  async recentProcesses(): Promise<ProcessView[]> {
    const ageMs = this.#status === null ? Number.POSITIVE_INFINITY : monotonicMs() - this.#status.atMs
    if (this.#status === null || ageMs > recentMs) return (await this.status()).processes
    if (ageMs > recentMs / 2) {
      // If it fails, whoever asks when this one is too old asks again, and hears of it.
      this.status().catch(() => {})
    }
    return this.#status.processes
  }

  /** What the system has counted of each process. */
  async usage(): Promise<NodeJS.ResourceUsage[]> {
    const { answers } = await this.#ask({ ask: 'usage' })
    return pick(answers, 'usage').map(({ usage }) => usage)
  }

  /**
   * Publishers and players, in the order of their arrival in each process: parts of a list as JSON, with commas within.
   * @param search in lower case: those that it is found in; '' for all
   */
  clients(start: number, count: number, search: string): Promise<Page<Buffer>> {
    const ask = (from: number, most: number): Question => {
      return { ask: 'clients', start: from, count: most, search }
    }
    return this.#page(ask, start, count, (answer, from, to) => {
      return answer?.of === 'clients' && to > from ? [entriesJson(answer.clients, from, to)] : []
    })
  }

  /** @returns a client as JSON; null when no process has it */
  async client(id: string): Promise<Buffer | null> {
    const { answers } = await this.#ask({ ask: 'client', id })
    const found = pick(answers, 'clients').find(({ total }) => total > 0)
    return found === undefined ? null : entriesJson(found.clients, 0, 1)
  }

  /** Closes a client's connection, whichever process has it. @returns whether one had it */
  async kick(id: string): Promise<boolean> {
    const { answers } = await this.#inquire({ ask: 'kick', id })
    return pick(answers, 'kick').some(({ kicked }) => kicked)
  }

  async streams(start: number, count: number): Promise<Page<StreamView>> {
    const ask = (from: number, most: number): Question => ({ ask: 'streams', start: from, count: most })
    const [{ items, total }, audience] = await Promise.all([
      this.#page(ask, start, count, (answer, from, to) => streamsOf(answer).slice(from, to)),
      this.#streamsTotal <= maxFewStreams ? this.#audience(null) : null,
    ])
    this.#streamsTotal = total
    const isAll = audience !== null && total <= maxFewStreams
    return { items: isAll ? streamViews(items, audience) : await this.#withAudience(items), total }
  }

  /**
   * @param tag see `streamTag`
   * @returns null when there is no such stream (any more)
   */
  async stream(tag: string): Promise<StreamView | null> {
    const { answers } = await this.#ask({ ask: 'stream', tag })
    const found = answers.flatMap(({ answer }) => streamsOf(answer))
    return (await this.#withAudience(found))[0] ?? null
  }

  /** Takes a stream from its publisher, and closes that one's connection. @returns whether there was one */
  async unpublish(tag: string): Promise<boolean> {
    const { answers } = await this.#inquire({ ask: 'unpublish', tag })
    return pick(answers, 'unpublish').some(({ unpublished }) => unpublished)
  }

  /** The clients of each virtual host that has or had some, and what they have sent and got. */
  async traffic(): Promise<{ server: ServerFacts; traffic: TrafficView[] }> {
    const { server, answers } = await this.#ask({ ask: 'traffic' })
    return { server, traffic: trafficViews(pick(answers, 'traffic').flatMap(({ traffic }) => traffic)) }
  }

  /** Programs of others that run for streams, or bring them. */
  async programs(): Promise<ProgramFacts[]> {
    const { answers } = await this.#ask({ ask: 'programs' })
    return pick(answers, 'programs').flatMap(({ programs }) => programs)
  }

  /** The callbacks (`http_hooks`) that all living processes have made, by event. */
  async hooks(): Promise<HookCount[]> {
    const { answers } = await this.#ask({ ask: 'hooks' })
    return hookTotals(pick(answers, 'hooks').flatMap(({ hooks }) => hooks))
  }

  /** The cluster of this server, with a page of its streams; null: it works alone. */
  async cluster(start: number, count: number): Promise<ClusterStatus | null> {
    const { answers } = await this.#ask({ ask: 'cluster', start, count })
    return pick(answers, 'cluster')[0]?.cluster ?? null
  }

  /** Has the configuration read again, as SIGHUP does. */
  async reload(): Promise<ReloadOutcome> {
    const { answers } = await this.#inquire({ ask: 'reload' }, null, reloadTimeoutMs)
    const [answer] = pick(answers, 'reload')
    if (answer === undefined) throw new WeirError('SERVER_SILENT', 'the master did not say what came of it')
    return answer.outcome
  }

  onMessage({ inquiry, server, answers }: Extract<FromMaster, { t: 'report' }>): void {
    const pending = this.#pending.get(inquiry)
    if (pending === undefined) return
    this.#pending.delete(inquiry)
    clearTimeout(pending.timer)
    pending.resolve({
      server,
      answers: answers.map((one) => ({ ...one, answer: one.answer && decodeAnswer(one.answer) })),
    })
  }

  /**
   * Asks, or shares the answer with others who ask the same.
   * @throws WeirError SERVER_SILENT
   */
  #ask(question: Question, pids: number[] | null = null): Promise<Report> {
    return this.#shared.ask(JSON.stringify([question, pids]), () => this.#inquire(question, pids))
  }

  #inquire(question: Question, pids: number[] | null = null, timeoutMs = reportTimeoutMs): Promise<Report> {
    if (this.#pending.size >= maxInquiries) {
      return Promise.reject(new WeirError('SERVER_SILENT', `${maxInquiries} inquiries are under way`))
    }
    const inquiry = this.#next
    this.#next += 1
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(inquiry)
        reject(new WeirError('SERVER_SILENT', `no answer of the master in ${timeoutMs} ms`))
      }, timeoutMs)
      this.#pending.set(inquiry, { resolve, timer })
      this.#send({ t: 'inquire', inquiry, question, pids })
    })
  }

  /**
   * A part of the list that the processes' lists make one behind the other. Each gives its own part, so that no
   * more than a page travels from each, however long the lists are.
   */
  async #page<T>(
    question: (start: number, count: number) => Question,
    start: number,
    count: number,
    partOf: (answer: Answer | null, from: number, to: number) => readonly T[],
  ): Promise<Page<T>> {
    const wanted = Math.min(count, maxPageSize)
    const isNear = start + wanted <= maxPageSize
    const { answers } = await this.#ask(question(0, isNear ? start + wanted : 0))
    const totals = answers.map(({ answer }) => (answer !== null && 'total' in answer ? answer.total : 0))
    const offsets = totals.map((_, index) => sumOf(totals.slice(0, index), (total) => total))
    const parts = await Promise.all(
      answers.map(async ({ pid, answer }, index) => {
        const from = Math.max(0, start - offsets[index]!)
        const to = Math.min(totals[index]!, start + wanted - offsets[index]!)
        if (to <= from) return []
        if (isNear) return partOf(answer, from, to)
        const { answers: own } = await this.#ask(question(from, to - from), [pid])
        return own.flatMap((part) => partOf(part.answer, 0, lengthOf(part.answer)))
      }),
    )
    return { items: parts.flat(), total: sumOf(totals, (total) => total) }
  }

  async #withAudience(streams: readonly StreamInfo[]): Promise<StreamView[]> {
    if (streams.length === 0) return []
    return streamViews(streams, await this.#audience(streams.map(({ stream }) => stream)))
  }

  /** @param streams null: of all streams */
  async #audience(streams: string[] | null): Promise<StreamAudience[]> {
    const { answers } = await this.#ask({ ask: 'audience', streams })
    return pick(answers, 'audience').flatMap(({ audience }) => audience)
  }
}

/** How many entries an answer has. */
function lengthOf(answer: Answer | null): number {
  return answer?.of === 'clients' ? answer.clients.shares.length : streamsOf(answer).length
}

function streamsOf(answer: Answer | null): readonly StreamInfo[] {
  return answer?.of === 'streams' ? answer.streams : []
}
