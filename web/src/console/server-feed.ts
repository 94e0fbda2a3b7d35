import { type ApiClient, ApiError, type Snapshot } from './api-client.ts'

/** How the page is connected to the server, and what it knows of it. */
export interface FeedState {
  /** `live`: events come; `polling`: the page asks; `away`: no answer; `login`: it wants a password. */
  readonly link: 'connecting' | 'live' | 'polling' | 'away' | 'login'
  /** The newest; it stays when the server is away. */
  readonly snapshot: Snapshot | null
  /** What is wrong, in words; '' if nothing is. */
  readonly problem: string
}

/** Times in milliseconds. */
export interface FeedTimes {
  /** Before another attempt to reach a server that is away. */
  readonly retryMs: number
  /** Between two questions, where events do not get through. */
  readonly pollMs: number
  /** How long the page asks before it tries events again. */
  readonly pollingMs: number
}

const standardTimes: FeedTimes = { retryMs: 2000, pollMs: 1000, pollingMs: 60_000 }

/**
 * Follows a server: by its events, or by asking once a second where these do not get through. A server that is away
 * is tried again until it is back.
 */
export class ServerFeed {
  readonly #api: Pick<ApiClient, 'events' | 'snapshot'>
  readonly #onChange: (state: FeedState) => void
  readonly #times: FeedTimes
  readonly #end = new AbortController()
  #state: FeedState = { link: 'connecting', snapshot: null, problem: '' }

  constructor(
    api: Pick<ApiClient, 'events' | 'snapshot'>,
    onChange: (state: FeedState) => void,
    times = standardTimes,
  ) {
    this.#api = api
    this.#onChange = onChange
    this.#times = times
  }

  /** Follows until it is closed, or until the server asks for a password. */
  async run(): Promise<void> {
    while (!this.#isClosed) {
      try {
        await this.#follow()
      } catch (error) {
        if (this.#isClosed) return
        const { reason, message } = asApiError(error)
        if (reason === 'login') {
          this.#change({ link: 'login', problem: '' })
          return
        }
        if (reason === 'away') {
          this.#change({ link: 'away', problem: message })
          await this.#pause(this.#times.retryMs)
        } else await this.#poll()
      }
    }
  }

  close(): void {
    this.#end.abort()
  }

  get #isClosed(): boolean {
    return this.#end.signal.aborted
  }

  async #follow(): Promise<void> {
    for await (const snapshot of this.#api.events(this.#end.signal)) {
      this.#change({ link: 'live', snapshot, problem: '' })
    }
    // The server stops, or its worker does.
    throw new ApiError('away', 'the server has ended the connection')
  }

  async #poll(): Promise<void> {
    const until = performance.now() + this.#times.pollingMs
    while (!this.#isClosed && performance.now() < until) {
      try {
        this.#change({ link: 'polling', snapshot: await this.#api.snapshot(), problem: '' })
      } catch (error) {
        const { reason, message } = asApiError(error)
        // Events find out what it is; as long as something answers, there is no hurry.
        if (reason === 'login' || reason === 'away') return
        this.#change({ link: 'away', problem: message })
      }
      await this.#pause(this.#times.pollMs)
    }
  }

  #change(state: Partial<FeedState>): void {
    if (this.#isClosed) return
    this.#state = { ...this.#state, ...state }
    this.#onChange(this.#state)
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#end.signal.addEventListener('abort', () => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
}

function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  throw error
}
