import { stat } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { monotonicMs } from '../../base/clock.ts'
import { codeOf } from '../../base/errors.ts'
import type { Config, VhostConfig } from '../../config/config.ts'
import { vhostNameOf, vhostOf } from '../../config/vhost-of.ts'
import type { StreamId } from '../../ipc/contract.ts'
import { streamId, vhostOfStream } from '../../live/stream-key.ts'
import type { WantedStream } from '../../pull/wanted-streams.ts'
import { HlsStreams } from '../site/hls-streams.ts'

/** What the HLS of pulled streams needs of its worker. */
export interface PulledHlsHost {
  /** Has the server pull a stream as long as it is wanted; see WantedStreams. */
  wantStream(stream: StreamId): WantedStream
}

/** Streams that are kept for their HLS at once. */
const maxStreams = 1000

/** How long a first playlist is waited for at most: a pull, and two segments; see {@link patienceOf}. */
const pullPatienceMs = 10_000

/** A stream is let go when nobody has asked for its playlist for so many of its segments, and so long. */
const idleSegments = 3
const leastIdleMs = 15_000

/** How often is looked whether a first playlist is there. */
const lookMs = 200

/** A playlist that was written so long before the stream was asked for may be of this pull. */
const recentMs = 1000

interface Kept {
  readonly wanted: WantedStream
  vhost: VhostConfig
  /** Whether a playlist of this pull is there; 'absent': there will be none. */
  readonly playlist: Promise<'there' | 'late' | 'absent'>
  isThere: boolean
  usedAtMs: number
}

/**
 * HLS of streams that other servers have: who asks for a playlist has the stream pulled, and so it is as long as somebody
 * asks. Segments are cut here; what a viewer gets are files like those of any other stream.
 */
export class PulledHls {
  readonly #host: PulledHlsHost
  readonly #kept = new Map<StreamId, Kept>()
  #config: Config
  #streams: HlsStreams
  readonly #closed = new AbortController()

  constructor(host: PulledHlsHost, config: Config) {
    this.#host = host
    this.#config = config
    this.#streams = new HlsStreams(config, isPulled)
  }

  reload(config: Config): void {
    this.#config = config
    this.#streams = new HlsStreams(config, isPulled)
    for (const [stream, kept] of this.#kept) {
      const vhost = vhostOf(config, vhostOfStream(stream))
      if (vhost === null || !vhost.hls.enabled || !isPulled(vhost)) this.#letGo(stream)
      else kept.vhost = vhost
    }
  }

  /** To be called about once a second. */
  sweep(nowMs: number): void {
    for (const [stream, { vhost, usedAtMs, isThere }] of this.#kept) {
      if (isThere && nowMs - usedAtMs > idleMsOf(vhost)) this.#letGo(stream)
    }
  }

  close(): void {
    this.#closed.abort()
    for (const stream of [...this.#kept.keys()]) this.#letGo(stream)
  }

  /**
   * Somebody who may have it asks for a file: if it is of a stream that is pulled for its HLS, it is kept for some time
   * more, or pulled from now on.
   * @param path absolute path of the file
   * @param host that the request names
   * @returns null: the file can be served as it is; else what becomes of the playlist, when that is known: 503 and 404
   *   are statuses to refuse it with
   */
  want(path: string, host: string): Promise<200 | 404 | 503> | null {
    const owner = this.#ownerOf(path, host)
    if (owner === null) return null
    const { stream, vhost } = owner
    const nowMs = monotonicMs()
    const kept = this.#kept.get(stream)
    if (kept !== undefined) {
      kept.usedAtMs = nowMs
      return kept.isThere || !isPlaylist(path) ? null : statusOf(kept)
    }
    // Players begin with the playlist: a segment alone is no reason to pull.
    if (!isPlaylist(path)) return null
    if (this.#kept.size >= maxStreams || this.#closed.signal.aborted) return Promise.resolve(503)
    return statusOf(this.#keep(stream, vhost, path, nowMs))
  }

  #ownerOf(path: string, host: string): { stream: StreamId; vhost: VhostConfig } | null {
    const owners = this.#streams.ownersOf(path)
    const name = vhostNameOf(this.#config, host)
    const owner = owners.find(({ stream }) => stream.vhost === name) ?? owners[0]
    return owner === undefined ? null : { stream: streamId(owner.stream), vhost: owner.vhost }
  }

  #keep(stream: StreamId, vhost: VhostConfig, path: string, nowMs: number): Kept {
    const wanted = this.#host.wantStream(stream)
    const playlist = this.#playlistOf(wanted, path, nowMs + patienceOf(vhost)).then((state) => {
      kept.isThere = state === 'there'
      // Who asks next asks anew; the master remembers what is nowhere.
      if (!kept.isThere && this.#kept.get(stream) === kept) this.#letGo(stream)
      return state
    })
    const kept: Kept = { wanted, vhost, playlist, isThere: false, usedAtMs: nowMs }
    this.#kept.set(stream, kept)
    return kept
  }

  /** Waits until the stream is here, and a playlist that is of this pull, not one of hours ago. */
  async #playlistOf(
    wanted: WantedStream,
    path: string,
    untilMs: number,
  ): Promise<'there' | 'late' | 'absent'> {
    const sinceMs = Date.now() - recentMs
    const { signal } = this.#closed
    while (wanted.presence !== 'absent' && !signal.aborted) {
      if (wanted.presence === 'live' && (await writtenAtMs(path)) >= sinceMs) return 'there'
      if (monotonicMs() >= untilMs) return 'late'
      const look = delay(lookMs, null, { signal }).catch(ignored)
      await (wanted.presence === 'unknown' ? Promise.race([wanted.known(), look]) : look)
    }
    return 'absent'
  }

  #letGo(stream: StreamId): void {
    this.#kept.get(stream)?.wanted.release()
    this.#kept.delete(stream)
  }
}

/** A virtual host whose HLS is made here of streams that other servers have. */
function isPulled({ cluster }: VhostConfig): boolean {
  return cluster.mode === 'remote'
}

function isPlaylist(path: string): boolean {
  return path.endsWith('.m3u8')
}

async function statusOf({ playlist }: Kept): Promise<200 | 404 | 503> {
  const state = await playlist
  return state === 'there' ? 200 : state === 'late' ? 503 : 404
}

function patienceOf({ hls }: VhostConfig): number {
  return pullPatienceMs + 2 * hls.hlsFragment * 1000
}

function idleMsOf({ hls }: VhostConfig): number {
  return Math.max(leastIdleMs, idleSegments * hls.hlsFragment * hls.hlsTdRatio * 1000)
}

/** @returns -1: there is no such file */
async function writtenAtMs(path: string): Promise<number> {
  try {
    return (await stat(path)).mtimeMs
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return -1
    throw error
  }
}

/** The wait was ended with its owner. */
function ignored(): void {}
