import type { ClusterData } from '../../../src/http/api/schema/cluster.ts'
import type { ClientData, StreamData, VhostData } from '../../../src/http/api/schema/lists.ts'
import type { RecordingData } from '../../../src/http/api/schema/recordings.ts'
import type { ProgramData, Snapshot, WorkerData } from '../../../src/http/api/schema/server.ts'
import { EventStreamReader } from './event-stream.ts'

export type { ClientData, ProgramData, RecordingData, Snapshot, StreamData, WorkerData }

/** Why the API did not do what it was asked for. */
export class ApiError extends Error {
  /** `login`: it wants a password; `away`: there is no answer; `silent`: events do not come; else it said no. */
  readonly reason: 'login' | 'away' | 'silent' | 'refused'

  constructor(reason: ApiError['reason'], message: string) {
    super(message)
    this.reason = reason
  }
}

/** A page of the list of clients. */
export interface ClientPage {
  readonly clients: readonly ClientData[]
  readonly total: number
}

/** A page of the list of recordings. */
export interface RecordingPage {
  readonly recordings: readonly RecordingData[]
  readonly total: number
}

/** Without an event for so long nothing more is expected of a connection, in milliseconds. */
const silenceMs = 5000

/** How long an answer may take, in milliseconds. */
const answerMs = 10_000

/** SRS's code for an id that is gone. */
const gone: readonly number[] = [2048, 2049]

/** What a page is told that may change nothing. */
const notOfThisPage = 'the server lets pages of this address change nothing: see origins of http_api'

/** The API of the server, as the console uses it. */
export class ApiClient {
  readonly #origin: string
  /** What is sent as `Authorization`; null: nothing. */
  authorization: string | null

  /** @param origin `http://host:1985`, or '' for that of the page */
  constructor(origin: string, authorization: string | null) {
    this.#origin = origin
    this.authorization = authorization
  }

  /** @param search those of all clients that it is found in; '': all */
  clients(start: number, count: number, search = ''): Promise<ClientPage> {
    const filter = search === '' ? '' : `&search=${encodeURIComponent(search)}`
    return this.#get(`clients?start=${start}&count=${count}${filter}`)
  }

  recordings(start: number, count: number): Promise<RecordingPage> {
    return this.#get(`recordings?start=${start}&count=${count}`)
  }

  async programs(): Promise<readonly ProgramData[]> {
    return (await this.#get<{ programs: ProgramData[] }>('programs')).programs
  }

  /** Closes a client's connection. @returns whether it was still there */
  kick(id: string): Promise<boolean> {
    return this.#delete(`clients/${encodeURIComponent(id)}`)
  }

  /** The cluster, with a page of its streams. */
  async cluster(start: number, count: number): Promise<ClusterData> {
    return (await this.#get<{ cluster: ClusterData }>(`cluster?start=${start}&count=${count}`)).cluster
  }

  /** Takes a stream from its publisher. @returns whether it had one */
  unpublish(id: string): Promise<boolean> {
    return this.#delete(`streams/${encodeURIComponent(id)}`)
  }

  /**
   * Snapshots of the server, one a second, until the connection ends or the signal does.
   * @throws ApiError
   */
  async *events(signal: AbortSignal): AsyncGenerator<Snapshot, void> {
    const silence = new AbortController()
    const stop = (): void => silence.abort(new ApiError('silent', 'no event came'))
    let timer = setTimeout(stop, silenceMs)
    try {
      const response = await this.#fetch('events', { signal: AbortSignal.any([signal, silence.signal]) })
      const reader = new EventStreamReader()
      const decoder = new TextDecoder()
      const body = response.body?.getReader()
      for (let part = await body?.read(); part !== undefined && !part.done; part = await body?.read()) {
        for (const { name, data } of reader.push(decoder.decode(part.value, { stream: true }))) {
          clearTimeout(timer)
          timer = setTimeout(stop, silenceMs)
          if (name === 'snapshot') yield JSON.parse(data) as Snapshot
        }
      }
    } catch (error) {
      throw silence.signal.aborted ? silence.signal.reason : apiErrorOf(error)
    } finally {
      clearTimeout(timer)
      // Whoever stops to listen leaves the connection.
      silence.abort()
    }
  }

  /** The same as an event tells, from the paths that programs poll: for proxies that hold events back. */
  async snapshot(): Promise<Snapshot> {
    const [{ data }, { streams, total }, { workers }, { vhosts }] = await Promise.all([
      this.#get<{ data: SummaryPart }>('summaries'),
      this.#get<{ streams: StreamData[]; total: number }>('streams?count=1000'),
      this.#get<{ workers: WorkerData[] }>('workers'),
      this.#get<{ vhosts: VhostData[] }>('vhosts'),
    ])
    const sum = (value: (vhost: VhostData) => number): number =>
      vhosts.reduce((all, vhost) => all + value(vhost), 0)
    const publishers = streams.filter(({ publish }) => publish.active).length
    return {
      now_ms: data.now_ms,
      version: data.self.version,
      uptime: data.self.srs_uptime,
      connections: data.system.conn_srs,
      max_connections: 0,
      refused_connections: 0,
      totals: {
        clients: sum(({ clients }) => clients),
        publishers,
        players: { all: sum(({ clients }) => clients) - publishers },
        send_bytes: sum((vhost) => vhost.send_bytes),
        recv_bytes: sum((vhost) => vhost.recv_bytes),
      },
      workers,
      streams,
      streams_total: total,
    }
  }

  async #get<T>(path: string): Promise<T> {
    const response = await this.#fetch(path, { signal: AbortSignal.timeout(answerMs) })
    return (await response.json().catch((error: unknown) => {
      throw apiErrorOf(error)
    })) as T
  }

  async #delete(path: string): Promise<boolean> {
    const init = { method: 'DELETE', signal: AbortSignal.timeout(answerMs) }
    const response = await this.#fetch(path, init).catch((error: unknown) => {
      // Another port is asked first whether this page may, and a no looks like no answer.
      if (this.#origin === '' || !(error instanceof ApiError) || error.reason !== 'away') throw error
      throw new ApiError('away', `${error.message}, or ${notOfThisPage}`)
    })
    const { code } = (await response.json()) as { code: number }
    if (code !== 0 && !gone.includes(code)) throw new ApiError('refused', `the server answered ${code}`)
    return code === 0
  }

  /** A request without cookies; so that the browser asks for no password by itself. */
  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const headers = this.authorization === null ? {} : { Authorization: this.authorization }
    let response: Response
    try {
      response = await fetch(`${this.#origin}/api/v1/${path}`, {
        ...init,
        headers,
        credentials: 'omit',
        cache: 'no-store',
      })
    } catch (error) {
      throw apiErrorOf(error)
    }
    if (response.status === 401) throw new ApiError('login', 'the server asks for a password')
    if (response.status === 403) throw new ApiError('refused', notOfThisPage)
    if (!response.ok) throw new ApiError('refused', `the server answered ${response.status}`)
    return response
  }
}

/** What is used of `/api/v1/summaries`. */
interface SummaryPart {
  readonly now_ms: number
  readonly self: { readonly version: string; readonly srs_uptime: number }
  readonly system: { readonly conn_srs: number }
}

/** Fetch tells nothing more of a failure than that there was one. */
function apiErrorOf(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError('away', 'the server does not answer')
}
