import { stat } from 'node:fs/promises'
import { monotonicMs } from '../../base/clock.ts'
import { codeOf, messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { Config } from '../../config/config.ts'
import type { RecordingIndex } from '../../media/vod/recording.ts'
import { bytesOf, layOut, type Mp4Layout } from './mp4-download.ts'
import { SharedCache } from './shared-cache.ts'
import type { RecordingFile } from './tasks.ts'
import { VodPool } from './vod-pool.ts'

export type VodConfig = Config['httpServer']['vod']

/** Bytes of indices that are kept, about: those of some hundred long recordings. */
const maxIndexBytes = 32 * 1024 * 1024

/** Bytes of the heads of MP4 files that are kept. */
const maxHeadBytes = 8 * 1024 * 1024

/** What a segment takes in an index, and the rest of it, about. */
const segmentBytes = 300
const fixedBytes = 4096

/** What nobody asked for in this time is let go, in milliseconds. */
const idleMs = 60_000

/** Why a file cannot be served lasts as long as the file does; anything else may be better next time. */
const lasting = new Set(['VOD_FORMAT', 'VOD_BROKEN', 'FLV_FORMAT', 'MEDIA_FORMAT'])

/** An index, or why there is none. */
type Found = { readonly index: RecordingIndex } | { readonly error: unknown }

/** The recordings of a worker: each is looked through once, and its segments are made when they are asked for. */
export class VodLibrary {
  readonly #logger: Logger
  readonly #config: VodConfig
  readonly #pool: VodPool
  readonly #indices = new SharedCache<Found>(maxIndexBytes, sizeOfFound)
  readonly #segments: SharedCache<Uint8Array>
  readonly #movies = new SharedCache<Mp4Layout>(
    maxHeadBytes,
    ({ head, parts }) => head.byteLength + parts.length * segmentBytes,
  )

  constructor(logger: Logger, config: VodConfig) {
    this.#logger = logger
    this.#config = config
    const { threads, queue } = config
    this.#pool = new VodPool({ threads, queue }, (error) => {
      logger.error({ code: 'VOD_THREAD' }, `vod: ${messageOf(error)}`)
    })
    this.#segments = new SharedCache(config.cacheSize, ({ byteLength }) => byteLength)
  }

  /** @returns null when there is no such file */
  async find(path: string): Promise<RecordingFile | null> {
    const stats = await stat(path).catch(absent)
    if (stats === null || !stats.isFile()) return null
    return { path, version: `${stats.size.toString(36)}-${Math.round(stats.mtimeMs * 1000).toString(36)}` }
  }

  /** @throws WeirError VOD_FORMAT, VOD_BROKEN, FLV_FORMAT, VOD_BUSY, VOD_THREAD; the system's error */
  async index(file: RecordingFile): Promise<RecordingIndex> {
    const found = await this.#indices.get(keyOf(file), monotonicMs(), () => this.#look(file))
    if ('error' in found) throw found.error
    return found.index
  }

  /**
   * A segment of MPEG-TS.
   * @returns null when the recording has not so many
   * @throws as {@link index}
   */
  async segment(file: RecordingFile, number: number): Promise<Uint8Array | null> {
    const index = await this.index(file)
    const segment = index.segments[number]
    if (segment === undefined) return null
    const period = index.periods[segment.period]!
    return this.#segments.get(`${number} ${keyOf(file)}`, monotonicMs(), () =>
      this.#pool.bytes({ kind: 'ts', file, period, segment }),
    )
  }

  /**
   * An FLV recording as an MP4 file.
   * @throws as {@link index}
   */
  async movie(file: RecordingFile): Promise<Mp4Layout> {
    const index = await this.index(file)
    return this.#movies.get(keyOf(file), monotonicMs(), async () => {
      return layOut(index, await this.#pool.bytes({ kind: 'mp4-head', file, index }))
    })
  }

  /** The bytes of an MP4 file from `start` up to `end`, made as they are taken; throws as {@link index}. */
  async *movieBytes(
    file: RecordingFile,
    layout: Mp4Layout,
    start: number,
    end: number,
  ): AsyncGenerator<Uint8Array> {
    const { periods } = await this.index(file)
    yield* bytesOf(layout, start, end, ({ segment, sequence, startMs }) => {
      const period = periods[segment.period]!
      return this.#pool.bytes({ kind: 'mp4-fragment', file, period, segment, sequence, startMs })
    })
  }

  /** To be called about once a second. */
  sweep(nowMs: number): void {
    this.#indices.forgetBefore(nowMs - idleMs)
    this.#segments.forgetBefore(nowMs - idleMs)
    this.#movies.forgetBefore(nowMs - idleMs)
  }

  /** Does what it was asked for and ends its threads. */
  close(): Promise<void> {
    return this.#pool.close()
  }

  async #look(file: RecordingFile): Promise<Found> {
    const { path } = file
    const startMs = monotonicMs()
    try {
      const index = await this.#pool.index({ kind: 'index', file, fragmentMs: this.#config.fragment * 1000 })
      const { segments, leftOut } = index
      const tookMs = Math.round(monotonicMs() - startMs)
      this.#logger.info({ path, segments: segments.length, tookMs }, 'vod: a recording was looked through')
      if (leftOut.length > 0) {
        this.#logger.warn({ code: 'VOD_FORMAT', path, leftOut }, 'vod: a track is left out')
      }
      return { index }
    } catch (error) {
      if (!lasting.has(codeOf(error))) throw error
      this.#logger.warn({ code: codeOf(error), path }, `vod: ${messageOf(error)}`)
      return { error }
    }
  }
}

function keyOf({ path, version }: RecordingFile): string {
  return `${version} ${path}`
}

function sizeOfFound(found: Found): number {
  if ('error' in found) return fixedBytes
  const { periods, segments } = found.index
  const headers = periods.flatMap(({ video, audio }) => [video, audio])
  const headerBytes = headers.reduce((sum, header) => sum + (header?.body.byteLength ?? 0), 0)
  return fixedBytes + headerBytes + segments.length * segmentBytes
}

/** @throws what is no word of the system that there is no such file */
function absent(error: unknown): null {
  if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'EACCES', 'ELOOP'].includes(codeOf(error))) return null
  throw error
}
