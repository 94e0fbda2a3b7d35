import type { Pool } from 'undici'
import { monotonicMs } from '../../base/clock.ts'
import { codeOf, messageOf, WeirError } from '../../base/errors.ts'
import { noteBuffer } from '../../base/external-memory.ts'
import { type TlsTrust, tlsOptions } from '../../config/tls-trust.ts'
import { isStaleConnection, whereOf } from '../../hooks/hook-http.ts'

/** What is asked of a server. */
export interface UpstreamWish {
  /** Base address of the server, which may have a path. */
  readonly base: string
  /** If it is reached over TLS. */
  readonly trust: TlsTrust
  /** Encoded, with its leading slash; behind the base. */
  readonly path: string
  /** The virtual host to ask for; '': that of the address. */
  readonly vhost: string
  /** What lets this server in: a query without a `?`; '': nothing. */
  readonly credentials: string
  /** How long the server may be silent, and how long all of it may take, in milliseconds. */
  readonly silenceMs: number
  readonly totalMs: number
  /** The servers that the request has come through (RFC 8586). */
  readonly loop: string
  /** Asked for each piece of the answer: false ends it. */
  room(bytes: number): boolean
}

export interface UpstreamAnswer {
  readonly status: number
  /** Empty when the status is not 200. */
  readonly bytes: Buffer
}

/** Connections to one server; what is more waits. */
const connections = 32

/** How long a connection is kept for the next request, in milliseconds, unless the server says less. */
const keepAliveMs = 15_000

/** A server that nobody has asked for so long is forgotten with its connections, in milliseconds. */
const idleMs = 60_000

interface Server {
  readonly origin: string
  readonly trust: TlsTrust
  readonly pool: Pool
  requests: number
  usedAtMs: number
}

/** HTTP to the servers that an edge fetches from. Nobody is followed anywhere: a redirect is an answer like any other. */
export class UpstreamClient {
  readonly #servers = new Map<string, Server>()
  /** Since the start; probes are not counted. */
  #requests = 0

  get requests(): number {
    return this.#requests
  }

  /**
   * @returns null: there was no room
   * @throws WeirError HLS_UPSTREAM when there is no answer, or not all of it
   */
  async get(wish: UpstreamWish): Promise<UpstreamAnswer | null> {
    try {
      return await this.#ask(wish)
    } catch (error) {
      if (!isStaleConnection(error)) throw error
      // The server closed a kept connection as it was used.
      return await this.#ask(wish)
    }
  }

  /** Whether a server answers anything at all, to who trusts it as it was trusted last. */
  async probe(base: string, silenceMs: number): Promise<boolean> {
    const origin = URL.parse(base)?.origin
    const known = [...this.#servers.values()].find((server) => server.origin === origin)
    const trust = known?.trust ?? standardTrust
    try {
      await this.#ask({ ...probe, base, trust, silenceMs, totalMs: silenceMs }, 'HEAD')
      return true
    } catch (error) {
      if (codeOf(error) !== 'HLS_UPSTREAM') throw error
      return false
    }
  }

  /** To be called about once a second. */
  sweep(nowMs: number): void {
    for (const [key, { pool, requests, usedAtMs }] of this.#servers) {
      if (requests > 0 || nowMs - usedAtMs < idleMs) continue
      this.#servers.delete(key)
      void pool.destroy()
    }
  }

  /** Ends all connections; requests that go on fail. */
  close(): void {
    for (const { pool } of this.#servers.values()) void pool.destroy()
    this.#servers.clear()
  }

  async #ask(wish: UpstreamWish, method: 'GET' | 'HEAD' = 'GET'): Promise<UpstreamAnswer | null> {
    const url = URL.parse(wish.base)
    if (url === null) throw new WeirError('HLS_UPSTREAM', `${whereOf(wish.base)} is no URL`)
    const server = await this.#serverOf(url.origin, wish.trust)
    server.requests += 1
    if (method === 'GET') this.#requests += 1
    try {
      return await read(server.pool, url, wish, method)
    } catch (error) {
      const why = messageOf(error) || codeOf(error)
      throw new WeirError('HLS_UPSTREAM', `${whereOf(wish.base)}: ${why}`, error)
    } finally {
      server.requests -= 1
      server.usedAtMs = monotonicMs()
    }
  }

  /** The library is loaded when it is needed: who has no such server does not carry it. */
  async #serverOf(origin: string, trust: TlsTrust): Promise<Server> {
    // Connections are for those alone who would have made them.
    const key = `${origin} ${trust.tlsVerify} ${trust.tlsCa}`
    const known = this.#servers.get(key)
    if (known !== undefined) return known
    const [{ Pool }, connect] = await Promise.all([import('undici'), tlsOptions(trust)])
    // Another request may have made it meanwhile.
    let server = this.#servers.get(key)
    if (server === undefined) {
      const options = { connections, keepAliveTimeout: keepAliveMs, allowH2: false, connect }
      server = { origin, trust, pool: new Pool(origin, options), requests: 0, usedAtMs: monotonicMs() }
      this.#servers.set(key, server)
    }
    return server
  }
}

const standardTrust: TlsTrust = { tlsCa: '', tlsVerify: true }

const probe: Omit<UpstreamWish, 'base' | 'trust' | 'silenceMs' | 'totalMs'> = {
  path: '/',
  vhost: '',
  credentials: '',
  loop: '',
  room: () => true,
}

async function read(
  pool: Pool,
  url: URL,
  wish: UpstreamWish,
  method: 'GET' | 'HEAD',
): Promise<UpstreamAnswer | null> {
  const { silenceMs, totalMs, loop, room } = wish
  const late = new AbortController()
  const end = (why: string): void => late.abort(new Error(why))
  const silence = setTimeout(() => end(`silent for ${silenceMs / 1000} s`), silenceMs)
  const total = setTimeout(() => end(`not done in ${totalMs / 1000} s`), totalMs)
  try {
    const { statusCode, body } = await pool.request({
      path: pathOf(url, wish),
      method,
      headers: { 'accept-encoding': 'identity', ...(loop === '' ? {} : { 'cdn-loop': loop }) },
      signal: late.signal,
      // The two timers are for all of it.
      headersTimeout: 0,
      bodyTimeout: 0,
    })
    silence.refresh()
    if (statusCode !== 200) {
      await body.dump({ limit: maxDumpedBytes })
      return { status: statusCode, bytes: Buffer.alloc(0) }
    }
    const pieces: Buffer[] = []
    let size = 0
    for await (const piece of body as AsyncIterable<Buffer>) {
      silence.refresh()
      // To leave the loop is to close the connection: the rest never comes here.
      if (!room(piece.length)) return null
      pieces.push(piece)
      size += piece.length
    }
    noteBuffer(size)
    return { status: statusCode, bytes: Buffer.concat(pieces, size) }
  } finally {
    clearTimeout(silence)
    clearTimeout(total)
  }
}

/** Of the body of an error so much is read, to keep the connection. */
const maxDumpedBytes = 16 * 1024

function pathOf({ pathname }: URL, { path, vhost, credentials }: UpstreamWish): string {
  const whole = `${pathname.replace(/\/+$/, '')}${path}`
  const more = [vhost === '' ? '' : `vhost=${encodeURIComponent(vhost)}`, credentials].filter(
    (one) => one !== '',
  )
  return more.length === 0 ? whole : `${whole}${whole.includes('?') ? '&' : '?'}${more.join('&')}`
}
