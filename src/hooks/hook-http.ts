import type { Dispatcher, Pool } from 'undici'
import { monotonicMs } from '../base/clock.ts'
import { codeOf, messageOf, WeirError } from '../base/errors.ts'

/** One request to another server. */
export interface HookCall {
  readonly method: 'POST' | 'GET'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Of a POST. */
  readonly body: string
  /** For all of it: waiting for a connection, connecting, the answer. */
  readonly timeoutMs: number
  /** No more of the answer is read than this. */
  readonly maxBytes: number
}

export interface HookAnswer {
  readonly status: number
  readonly body: string
  /** There is more of it, which was not read. */
  readonly isCut: boolean
}

/** Calls that may wait for a connection to one server; beyond it a call fails at once. */
const maxWaiting = 4096

/** A server that nobody has called for so long is forgotten with its connections, in milliseconds. */
const idleMs = 60_000

/** How long a connection is kept for the next call, in milliseconds, unless the server says less. */
const keepAliveMs = 15_000

interface Server {
  readonly pool: Pool
  calls: number
  usedAtMs: number
}

/** What ends a call that takes too long. */
const lateError = new Error('no answer in time')

/** The library is large: who has no hooks does not carry it. */
let library: Promise<typeof import('undici')> | null = null

/** Loads the HTTP client; to be called before the first call is urgent. */
export function loadHookHttp(): Promise<typeof import('undici')> {
  library ??= import('undici')
  return library
}

/**
 * HTTP to the servers of `http_hooks`: a bounded number of connections to each, kept for the next call. Redirects are
 * answers like any other: nobody is followed anywhere.
 */
export class HookHttp {
  readonly #connections: number
  readonly #servers = new Map<string, Server>()
  readonly #idleTimer = setInterval(() => this.#closeIdle(), idleMs).unref()

  /** @param connections to one server at once; what is more waits */
  constructor(connections: number) {
    this.#connections = connections
  }

  /** @throws WeirError HOOK_FAILED when there is no answer; its cause is the error below */
  async request(call: HookCall): Promise<HookAnswer> {
    const url = URL.parse(call.url)
    if (url === null || !['http:', 'https:'].includes(url.protocol)) {
      throw new WeirError('HOOK_FAILED', `${whereOf(call.url)} is no HTTP URL`)
    }
    const server = await this.#serverOf(url.origin)
    if (server.calls >= this.#connections + maxWaiting) {
      throw new WeirError('HOOK_FAILED', `${url.origin}: ${server.calls} calls wait already`)
    }
    server.calls += 1
    try {
      return await ask(server.pool, url, call)
    } catch (error) {
      const why =
        error === lateError ? `no answer in ${call.timeoutMs / 1000} s` : messageOf(error) || codeOf(error)
      throw new WeirError('HOOK_FAILED', `${whereOf(call.url)}: ${why}`, error)
    } finally {
      server.calls -= 1
      server.usedAtMs = monotonicMs()
    }
  }

  /** Ends all connections; calls that go on fail. */
  close(): void {
    clearInterval(this.#idleTimer)
    for (const { pool } of this.#servers.values()) void pool.destroy()
    this.#servers.clear()
  }

  async #serverOf(origin: string): Promise<Server> {
    const { Pool } = await loadHookHttp()
    let server = this.#servers.get(origin)
    if (server === undefined) {
      const options = { connections: this.#connections, keepAliveTimeout: keepAliveMs, allowH2: false }
      server = { pool: new Pool(origin, options), calls: 0, usedAtMs: monotonicMs() }
      this.#servers.set(origin, server)
    }
    return server
  }

  #closeIdle(): void {
    for (const [origin, { pool, calls, usedAtMs }] of this.#servers) {
      if (calls > 0 || monotonicMs() - usedAtMs < idleMs) continue
      this.#servers.delete(origin)
      void pool.close()
    }
  }
}

/** The address of a call as a log may have it: queries hold tokens, and what is before an `@` passwords. */
export function whereOf(url: string): string {
  return url.replace(/[?#].*$/s, '').replace(/\/\/[^/]*@/, '//')
}

async function ask(pool: Pool, url: URL, call: HookCall): Promise<HookAnswer> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(lateError), call.timeoutMs)
  const options: Dispatcher.RequestOptions = {
    path: `${url.pathname}${url.search}`,
    method: call.method,
    headers: { ...call.headers, ...credentialsOf(url) },
    body: call.method === 'POST' ? call.body : null,
    signal: late.signal,
    // One time-out is for all of it.
    headersTimeout: 0,
    bodyTimeout: 0,
  }
  try {
    const { statusCode, body } = await pool.request(options)
    return { status: statusCode, ...(await readSome(body, call.maxBytes)) }
  } finally {
    clearTimeout(timer)
  }
}

async function readSome(
  body: AsyncIterable<Buffer>,
  maxBytes: number,
): Promise<Pick<HookAnswer, 'body' | 'isCut'>> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of body) {
    pieces.push(piece.subarray(0, maxBytes - size))
    size += piece.length
    // To leave the loop is to close the connection: the rest never comes here.
    if (size > maxBytes) break
  }
  return { body: Buffer.concat(pieces).toString(), isCut: size > maxBytes }
}

function credentialsOf({ username, password }: URL): Record<string, string> {
  if (username === '') return {}
  const text = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { authorization: `Basic ${Buffer.from(text).toString('base64')}` }
}

/** Whether a call failed because a kept connection was closed by the server at that moment. */
export function isStaleConnection(error: unknown): boolean {
  const below = error instanceof WeirError ? error.cause : error
  return ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(codeOf(below))
}
