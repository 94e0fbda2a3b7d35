import type { Logger } from '../base/logger.ts'

/** How long the end of the process waits for files, in milliseconds: less than the master waits for the process. */
export const filesTimeoutMs = 1500

/** What streams that are closed still have to finish: their files, what they send to other servers. */
export class ClosingFiles {
  readonly #logger: Logger
  readonly #closing = new Set<Promise<void>>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  track(work: Promise<void>): void {
    const tracked: Promise<void> = work.finally(() => this.#closing.delete(tracked))
    this.#closing.add(tracked)
  }

  /** Waits until all is complete, but not for a disk that hangs. */
  async complete(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, filesTimeoutMs, 'late')
    })
    const outcome = await Promise.race([Promise.all(this.#closing), late])
    clearTimeout(timer)
    if (outcome !== 'late') return
    const about = { code: 'FILES_LATE' }
    this.#logger.error(about, 'the disk did not take the last of the streams’ files in time')
  }
}
