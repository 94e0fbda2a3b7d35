import { monotonicMs } from '../../base/clock.ts'
import { codeOf, messageOf, WeirError } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import { nodeCrypto } from '../../base/node-builtins.ts'
import type { VhostConfig } from '../../config/config.ts'
import { contentTypeOf } from '../site/file-headers.ts'
import { type EdgeFile, EdgeStore } from './edge-store.ts'
import { type EdgeTarget, EdgeTargets } from './edge-targets.ts'
import { type PlaylistFacts, readPlaylist, withoutVhost } from './playlist-facts.ts'
import { StillLooks } from './still-looks.ts'
import type { UpstreamClient } from './upstream-client.ts'
import type { UpstreamHealth } from './upstream-health.ts'

/** Files of a virtual host that are being fetched at once; for who asks for another one the server is busy. */
const maxFetches = 256

/** That a file is nowhere is believed for so long, in milliseconds, of so many files. */
const absentMs = 1000
const maxAbsent = 4096

/** Fragments of which is known which server has them. */
const maxHomes = 16_384

/** All of an answer may take so many times the silence that is borne. */
const playlistPatience = 2
const fragmentPatience = 10

/** Whom to ask for a file, and what to bring. */
export interface EdgeSources {
  /** Base addresses of the servers, in the order to try. */
  readonly bases: readonly string[]
  /** The servers that the request has come through (RFC 8586). */
  readonly loop: string
  /** What lets this one in there: a query without a `?`; '': nothing. */
  readonly credentials: string
}

/** What comes of a request; a status says why there is no file. */
export type EdgeOutcome =
  | { readonly file: EdgeFile; readonly how: 'miss' | 'stale' }
  | { readonly status: 404 | 502 | 503 }

/** What the loaders of a worker share. */
export interface EdgeLoaderHost {
  readonly logger: Logger
  readonly client: UpstreamClient
  readonly health: UpstreamHealth
}

/** The files of one virtual host that are of other servers: each is fetched once for all who want it, and kept. */
export class EdgeLoader {
  readonly #host: EdgeLoaderHost
  readonly #store: EdgeStore
  readonly #works = new Map<string, Promise<EdgeOutcome>>()
  /** Files that were nowhere, and until when that is believed; the oldest first. */
  readonly #absent = new Map<string, number>()
  /** Which server a fragment is on: the one whose playlist named it last. */
  readonly #homes = new Map<string, string>()
  /** What servers have of streams that stand still. */
  readonly #looks = new StillLooks()
  #config: VhostConfig
  /** Bytes of what is being fetched. */
  #pendingBytes = 0
  /** Since the last sweep. */
  #failures = 0

  constructor(host: EdgeLoaderHost, config: VhostConfig) {
    this.#host = host
    this.#config = config
    this.#store = new EdgeStore(config.cluster.hlsOriginCache)
  }

  set config(config: VhostConfig) {
    this.#config = config
    this.#store.maxBytes = config.cluster.hlsOriginCache
  }

  get files(): number {
    return this.#store.files
  }

  get bytes(): number {
    return this.#store.bytes
  }

  /** A file that can be passed on at once; null: see {@link load}. */
  fresh({ path }: EdgeTarget, nowMs: number): EdgeFile | null {
    return this.#store.fresh(path, nowMs)
  }

  /** Gets a file from one of the servers, or what is left of it when none answers. Never rejected but by a bug. */
  load(target: EdgeTarget, sources: EdgeSources): Promise<EdgeOutcome> {
    const { path } = target
    const work = this.#works.get(path)
    if (work !== undefined) return work
    const nowMs = monotonicMs()
    if ((this.#absent.get(path) ?? 0) > nowMs) return Promise.resolve({ status: 404 })
    if (this.#works.size >= maxFetches) return Promise.resolve({ status: 503 })
    const begun = this.#fetch(target, sources, nowMs).finally(() => this.#works.delete(path))
    this.#works.set(path, begun)
    return begun
  }

  /** To be called about once a second. */
  sweep(nowMs: number): void {
    this.#failures = 0
    this.#store.sweep(nowMs)
    for (const [path, untilMs] of this.#absent) if (untilMs <= nowMs) this.#absent.delete(path)
  }

  async #fetch(target: EdgeTarget, sources: EdgeSources, nowMs: number): Promise<EdgeOutcome> {
    const { path } = target
    const before = this.#store.get(path)
    const home = before?.upstream ?? this.#homes.get(path) ?? null
    const bases = this.#host.health.order(sources.bases, home, nowMs)
    const standsStill = before?.playlist != null && nowMs - before.changedAtMs > before.playlist.stillMs
    let absences = 0
    let best: EdgeFile | null = null
    for (const base of bases) {
      const found = await this.#ask(base, target, sources)
      if (found === 'busy') return { status: 503 }
      if (found === 'absent') absences += 1
      else if (found !== 'failed') {
        const goesOn = !standsStill || this.#looks.goesOn(found, before)
        if (goesOn || best === null) best = found
        if (goesOn) break
      }
    }
    if (best !== null) return { file: this.#keep(best, before), how: 'miss' }
    const isNowhere = absences > 0 && absences === sources.bases.length
    const usableMs = before?.playlist?.usableMs ?? 0
    if (before !== null && !isNowhere && monotonicMs() - before.fetchedAtMs < usableMs) {
      return { file: before, how: 'stale' }
    }
    this.#store.forget(path)
    if (absences === 0) return { status: 502 }
    this.#noteAbsent(path)
    return { status: 404 }
  }

  async #ask(
    base: string,
    target: EdgeTarget,
    { loop, credentials }: EdgeSources,
  ): Promise<EdgeFile | 'absent' | 'failed' | 'busy'> {
    const { path, isPlaylist, upstreamVhost: vhost } = target
    const { health, client } = this.#host
    const trust = this.#config.cluster
    const silenceMs = trust.hlsOriginTimeout * 1000
    const totalMs = silenceMs * (isPlaylist ? playlistPatience : fragmentPatience)
    const fetchedAtMs = monotonicMs()
    let taken = 0
    const room = (bytes: number): boolean => {
      taken += bytes
      this.#pendingBytes += bytes
      return this.#pendingBytes <= this.#config.cluster.hlsOriginCache / 2
    }
    try {
      const wish = { base, trust, path, vhost, credentials, loop }
      const answer = await client.get({ ...wish, silenceMs, totalMs, room })
      if (answer === null) {
        this.#tell(base, path, 'it is longer than what hls_origin_cache leaves for it')
        return 'busy'
      }
      if (answer.status === 404 || answer.status === 410) return 'absent'
      if (answer.status !== 200) {
        this.#tell(base, path, `it answers with status ${answer.status}`)
        return 'failed'
      }
      return this.#fileOf(target, base, answer.bytes, fetchedAtMs)
    } catch (error) {
      if (codeOf(error) !== 'HLS_UPSTREAM') throw error
      if (error instanceof WeirError && error.cause === undefined) this.#tell(base, path, messageOf(error))
      else health.fail(base, messageOf(error), monotonicMs())
      return 'failed'
    } finally {
      this.#pendingBytes -= taken
    }
  }

  /** @throws WeirError HLS_UPSTREAM without a cause: the server works, but this is not what was asked for */
  #fileOf({ path, isPlaylist }: EdgeTarget, upstream: string, body: Buffer, fetchedAtMs: number): EdgeFile {
    let bytes = body
    let playlist: PlaylistFacts | null = null
    if (isPlaylist) {
      const text = withoutVhost(body.toString())
      playlist = readPlaylist(text)
      if (playlist === null) throw new WeirError('HLS_UPSTREAM', 'what it sends is no playlist')
      bytes = Buffer.from(text)
    }
    // Of the content: whichever server it is of, it is the same to who has it.
    const etag = `"${nodeCrypto().hash('sha256', bytes, 'base64url').slice(0, 22)}"`
    const contentType = contentTypeOf(path.replace(/\?.*$/s, ''))
    return { path, bytes, etag, contentType, playlist, upstream, fetchedAtMs, changedAtMs: fetchedAtMs }
  }

  #keep(found: EdgeFile, before: EdgeFile | null): EdgeFile {
    const isSame = before?.etag === found.etag
    const file = isSame ? { ...found, changedAtMs: before.changedAtMs } : found
    if (!isSame) this.#looks.forget(file.path)
    this.#absent.delete(file.path)
    this.#store.keep(file, monotonicMs())
    if (file.playlist !== null) this.#noteFragments(file, file.playlist, before)
    return file
  }

  /**
   * Notes where the fragments of a playlist are. One that it names anew was made since the last playlist: what has that
   * name from before is of another stream, or of another server that names its files alike.
   */
  #noteFragments({ path, upstream }: EdgeFile, { uris }: PlaylistFacts, before: EdgeFile | null): void {
    const known = new Set(before?.upstream === upstream ? before.playlist?.uris : [])
    for (const uri of uris) {
      if (known.has(uri)) continue
      const fragment = EdgeTargets.resolve(uri, path, this.#config)
      if (fragment === null) continue
      const kept = this.#store.get(fragment)
      const isOld = before !== null && kept !== null && kept.fetchedAtMs < before.fetchedAtMs
      if (kept !== null && (isOld || kept.upstream !== upstream)) this.#store.forget(fragment)
      this.#absent.delete(fragment)
      this.#homes.delete(fragment)
      this.#homes.set(fragment, upstream)
    }
    for (const oldest of this.#homes.keys()) {
      if (this.#homes.size <= maxHomes) break
      this.#homes.delete(oldest)
    }
  }

  #noteAbsent(path: string): void {
    this.#absent.delete(path)
    this.#absent.set(path, monotonicMs() + absentMs)
    const [oldest] = this.#absent.keys()
    if (this.#absent.size > maxAbsent && oldest !== undefined) this.#absent.delete(oldest)
  }

  /** A server that answers with the wrong thing fills no log: one line a second is enough. */
  #tell(upstream: string, path: string, reason: string): void {
    this.#failures += 1
    if (this.#failures > 1) return
    const about = { code: 'HLS_UPSTREAM', upstream, path, reason }
    this.#host.logger.warn(about, 'hls: a server of hls_origin does not give what is asked for')
  }
}
