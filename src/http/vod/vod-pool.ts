import { fileURLToPath } from 'node:url'
import type { Piscina } from 'piscina'
import { isErrorCode, messageOf, WeirError } from '../../base/errors.ts'
import type { RecordingIndex } from '../../media/vod/recording.ts'
import { isFailure, type VodFailure, type VodResult, type VodTask } from './tasks.ts'

/** Built (see rolldown.config.mjs) or, in tests, as it is written. */
const threadFile = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : '../vod-thread/main.js', import.meta.url),
)

/** A thread without work ends after so long. */
const idleTimeoutMs = 30_000

/** A file with tables beyond all measure ends its thread, not the worker. */
const maxThreadHeapMb = 1024

export interface VodPoolLimits {
  readonly threads: number
  /** Tasks that may wait for a thread. */
  readonly queue: number
}

/** The threads that cut recordings. There are none, and their library is not loaded, before there is work. */
export class VodPool {
  readonly #limits: VodPoolLimits
  readonly #onError: (error: Error) => void
  #pool: Promise<Piscina<VodTask, VodResult>> | null = null
  /** Tasks that run or wait. */
  #pending = 0

  /** @param onError hears when a thread fails that had nothing to do, or does not end */
  constructor(limits: VodPoolLimits, onError: (error: Error) => void) {
    this.#limits = limits
    this.#onError = onError
  }

  /**
   * Looks through a recording.
   * @throws WeirError VOD_BUSY, VOD_THREAD, and what the thread throws; the system's errors with their code
   */
  async index(task: Extract<VodTask, { kind: 'index' }>): Promise<RecordingIndex> {
    const result = await this.#run(task)
    if (result instanceof Uint8Array) throw new WeirError('VOD_THREAD', 'an index came as bytes')
    return result
  }

  /**
   * Makes a part of a recording.
   * @throws as {@link index}
   */
  async bytes(task: Exclude<VodTask, { kind: 'index' }>): Promise<Uint8Array> {
    const result = await this.#run(task)
    if (!(result instanceof Uint8Array)) throw new WeirError('VOD_THREAD', 'bytes came as an index')
    return result
  }

  /** Ends the threads when they have done what they were asked for. */
  async close(): Promise<void> {
    const pool = await this.#pool
    await pool?.close()
  }

  /** Ends the threads at once. */
  async destroy(): Promise<void> {
    const pool = await this.#pool
    await pool?.destroy()
  }

  async #run(task: VodTask): Promise<Exclude<VodResult, VodFailure>> {
    const { threads, queue } = this.#limits
    if (this.#pending >= threads + queue)
      throw new WeirError('VOD_BUSY', `${this.#pending} tasks wait already`)
    this.#pending += 1
    try {
      this.#pool ??= this.#start()
      const pool = await this.#pool
      const result = await pool.run(task).catch((error: unknown) => {
        throw new WeirError('VOD_THREAD', messageOf(error), error)
      })
      if (isFailure(result)) throw errorOf(result)
      return result
    } finally {
      this.#pending -= 1
    }
  }

  async #start(): Promise<Piscina<VodTask, VodResult>> {
    const { Piscina } = await import('piscina')
    const pool = new Piscina<VodTask, VodResult>({
      filename: threadFile,
      minThreads: 0,
      maxThreads: this.#limits.threads,
      idleTimeout: idleTimeoutMs,
      // What waits is bounded above.
      maxQueue: Number.POSITIVE_INFINITY,
      // Threads without work wait with their event loop running: files that nobody uses any more are closed there.
      atomics: 'disabled',
      resourceLimits: { maxOldGenerationSizeMb: maxThreadHeapMb },
    })
    pool.on('error', this.#onError)
    return pool
  }
}

/** The error that a thread met, with its code. */
function errorOf({ code, message }: VodFailure): Error {
  return isErrorCode(code) ? new WeirError(code, message) : Object.assign(new Error(message), { code })
}
