import { WeirError } from '../base/errors.ts'
import type { FailureLog } from './failure-log.ts'
import { hookHeaders } from './hook-body.ts'
import type { HookCounts } from './hook-counts.ts'
import { type HookHttp, whereOf } from './hook-http.ts'
import type { HookAction, HookSettings } from './hook-settings.ts'

/** Something that servers are told, each in its turn. */
export interface HookNews {
  readonly action: HookAction
  readonly vhost: string
  /** What is told of the same one arrives in order: a connection id. */
  readonly about: string
  readonly method: 'POST' | 'GET'
  readonly urls: readonly string[]
  readonly body: string
  /** The same for every attempt, so that one that arrives twice can be told apart. */
  readonly id: string
  readonly settings: HookSettings
  readonly maxReplyBytes: number
  /** Called once it is told or will not be; not of what is left when the process ends. */
  readonly onDone?: () => void
}

/** News that wait, all in all. A crowd that leaves at once is two for each client. */
const maxWaiting = 50_000

/** Characters of these, all in all: as many as such a crowd has, but clients choose how long their queries are. */
const maxWaitingLength = 32 * 1024 * 1024

/** Calls at once for one virtual host: one whose server hangs does not hold up the others. */
const callsAtOnce = 8

/** The wait before the first retry; it doubles up to the longest. */
const firstRetryMs = 500
const longestRetryMs = 30_000

/** With these statuses a server says that it may be asked again. */
const passing = new Set([408, 425, 429])

/** News of one virtual host. Those about the same client are told one after the other. */
interface Lane {
  readonly chains: Map<string, Waiting[]>
  /** Chains whose first news may be told now, in the order of their turn. */
  readonly ready: Set<string>
  /** Those that wait before they are tried again. */
  readonly resting: Map<string, NodeJS.Timeout>
  calls: number
}

interface Waiting {
  readonly news: HookNews
  /** Of its URLs, the one to be told next. */
  next: number
  tries: number
}

/** Tells servers what happens, in the background: whatever they do, nobody waits for them. */
export class HookNotifier {
  readonly #http: HookHttp
  readonly #counts: HookCounts
  readonly #failures: FailureLog
  readonly #lanes = new Map<string, Lane>()
  #waiting = 0
  /** Characters of what waits. */
  #length = 0
  /** Set when the process ends: nothing is put off any more. */
  #hurries = false
  /** Of those that wait, those that are not tried again then. */
  #left = 0
  #onSettled: (() => void) | null = null

  constructor(http: HookHttp, counts: HookCounts, failures: FailureLog) {
    this.#http = http
    this.#counts = counts
    this.#failures = failures
  }

  /** News that are not told yet. */
  get waiting(): number {
    return this.#waiting
  }

  /** Takes news; never throws. */
  tell(news: HookNews): void {
    const length = this.#length + news.body.length
    if (this.#waiting >= maxWaiting || length > maxWaitingLength) {
      this.#drop(news, `${this.#waiting} wait already`)
      return
    }
    this.#waiting += 1
    this.#length = length
    const lane = this.#laneOf(news.vhost)
    const waiting: Waiting = { news, next: 0, tries: 0 }
    const chain = lane.chains.get(news.about)
    if (chain !== undefined) chain.push(waiting)
    else {
      lane.chains.set(news.about, [waiting])
      lane.ready.add(news.about)
      this.#pump(lane)
    }
  }

  /**
   * The process ends: what rests is tried at once, once more. Resolves when everything is tried, or after a time.
   * @returns what is not told
   */
  async settle(timeoutMs: number): Promise<HookNews[]> {
    this.#hurries = true
    for (const lane of this.#lanes.values()) {
      for (const about of [...lane.resting.keys()]) this.#wake(lane, about)
    }
    if (this.#waiting > this.#left) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs)
        this.#onSettled = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    return [...this.#lanes.values()]
      .flatMap(({ chains }) => [...chains.values()].flat())
      .map(({ news }) => news)
  }

  #laneOf(vhost: string): Lane {
    let lane = this.#lanes.get(vhost)
    if (lane === undefined) {
      lane = { chains: new Map(), ready: new Set(), resting: new Map(), calls: 0 }
      this.#lanes.set(vhost, lane)
    }
    return lane
  }

  #pump(lane: Lane): void {
    while (lane.calls < callsAtOnce) {
      const [about] = lane.ready
      if (about === undefined) return
      lane.ready.delete(about)
      const waiting = lane.chains.get(about)?.[0]
      if (waiting === undefined) continue
      lane.calls += 1
      void this.#try(waiting).then((again) => {
        lane.calls -= 1
        if (again && this.#hurries) this.#leave(lane, about)
        else if (again) this.#rest(lane, about, waiting.tries)
        else this.#done(lane, about)
        this.#pump(lane)
      })
    }
  }

  #rest(lane: Lane, about: string, tries: number): void {
    const waitMs = Math.min(longestRetryMs, firstRetryMs * 2 ** (tries - 1))
    const timer = setTimeout(() => this.#wake(lane, about), waitMs * (0.75 + Math.random() / 2))
    lane.resting.set(about, timer)
  }

  #wake(lane: Lane, about: string): void {
    clearTimeout(lane.resting.get(about))
    lane.resting.delete(about)
    lane.ready.add(about)
    this.#pump(lane)
  }

  /** The first news of a chain is done with. */
  #done(lane: Lane, about: string): void {
    const chain = lane.chains.get(about)
    const first = chain?.shift()
    if (chain?.length === 0) lane.chains.delete(about)
    else lane.ready.add(about)
    this.#waiting -= 1
    this.#length -= first?.news.body.length ?? 0
    first?.news.onDone?.()
    this.#checkSettled()
  }

  /** What is told of this one comes in order, or not at all. */
  #leave(lane: Lane, about: string): void {
    this.#left += lane.chains.get(about)?.length ?? 0
    this.#checkSettled()
  }

  #checkSettled(): void {
    if (this.#waiting <= this.#left) this.#onSettled?.()
  }

  /**
   * Tells the servers that are still to be told, up to one that has to be tried again.
   * @returns whether there is one; never rejected
   */
  async #try(waiting: Waiting): Promise<boolean> {
    const { news } = waiting
    for (let url = news.urls[waiting.next]; url !== undefined; url = news.urls[waiting.next]) {
      const count = this.#counts.of(news.action)
      const beganAt = performance.now()
      const { error, mayRetry } = await this.#call(news, url)
      count.seconds += (performance.now() - beganAt) / 1000
      if (error !== null && mayRetry && waiting.tries < news.settings.hookRetry) {
        waiting.tries += 1
        count.retried += 1
        this.#failures.failed(news.vhost, news.action, error, 'a server was not told yet; it is tried again')
        return true
      }
      if (error === null) count.answered += 1
      else {
        count.failed += 1
        this.#failures.failed(news.vhost, news.action, error, 'a server was not told, and will not be')
      }
      waiting.next += 1
      waiting.tries = 0
    }
    return false
  }

  async #call(news: HookNews, url: string): Promise<{ error: unknown; mayRetry: boolean }> {
    const { method, body, id, settings, maxReplyBytes } = news
    try {
      const { status } = await this.#http.request({
        ...{ method, url, body, maxBytes: maxReplyBytes, timeoutMs: settings.hookTimeout * 1000 },
        headers: method === 'GET' ? {} : { ...hookHeaders(settings.hookSecret, body), 'x-weir-event': id },
      })
      if (status >= 200 && status < 300) return { error: null, mayRetry: false }
      const error = new WeirError('HOOK_FAILED', `${whereOf(url)}: answers ${status}`)
      return { error, mayRetry: status >= 500 || passing.has(status) }
    } catch (error) {
      return { error, mayRetry: true }
    }
  }

  #drop(news: HookNews, why: string): void {
    this.#counts.of(news.action).dropped += 1
    const error = new WeirError('HOOK_DROPPED', why)
    this.#failures.failed(news.vhost, news.action, error, 'servers were not told, and will not be')
    news.onDone?.()
  }
}
