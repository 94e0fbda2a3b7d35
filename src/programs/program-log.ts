import { mkdir, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { codeOf, messageOf } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { nodeCrypto } from '../base/node-builtins.ts'

/** The log file of a program is put aside as `FILE.1`, in the place of the one before, when it is as long as this. */
const maxFileBytes = 1024 * 1024

/** What waits for a disk that does not take it; beyond it, output is lost rather than the program stopped. */
const maxPendingBytes = 256 * 1024

/** A directory for logs that stands for none, as in SRS. */
const nowhere = '/dev/null'

/** File systems allow 255 bytes; the suffixes and a hash have to find room too. */
const maxNameBytes = 200

/**
 * What a program writes, appended to a file of bounded size. The file is open only while it is written to, so that it may
 * be moved away at any time.
 */
export class ProgramLog {
  readonly #file: string | null
  readonly #logger: Logger
  #pending: Buffer[] = []
  #pendingBytes = 0
  #lostBytes = 0
  /** It was told that the file cannot be written. */
  #isFailing = false
  #writing: Promise<void> | null = null

  /** @param file null: what is written goes nowhere */
  constructor(file: string | null, logger: Logger) {
    this.#file = file
    this.#logger = logger
  }

  /** Never waits. */
  write(bytes: Buffer): void {
    if (this.#file === null) return
    if (this.#pendingBytes + bytes.length > maxPendingBytes) {
      this.#lostBytes += bytes.length
      return
    }
    this.#pending.push(bytes)
    this.#pendingBytes += bytes.length
    this.#writing ??= this.#flush(this.#file).finally(() => {
      this.#writing = null
    })
  }

  /** Resolves when what was written is in the file, or cannot be. */
  async flushed(): Promise<void> {
    await this.#writing
  }

  async #flush(file: string): Promise<void> {
    while (this.#pending.length > 0) {
      const bytes = Buffer.concat(this.#take())
      try {
        await append(file, bytes)
        this.#isFailing = false
      } catch (error) {
        if (!this.#isFailing) {
          this.#logger.warn({ code: codeOf(error), file }, `no log of a program: ${messageOf(error)}`)
        }
        this.#isFailing = true
      }
    }
  }

  #take(): Buffer[] {
    const taken = this.#pending
    if (this.#lostBytes > 0)
      taken.push(Buffer.from(`\n[${this.#lostBytes} bytes of output were lost here]\n`))
    this.#pending = []
    this.#pendingBytes = 0
    this.#lostBytes = 0
    return taken
  }
}

/**
 * The log file of a program.
 * @param directory `ff_log_dir`
 * @param parts what tells it from others: what it is, virtual host, application, stream …
 * @returns null when there shall be none
 */
export function programLogFile(directory: string, parts: readonly string[]): string | null {
  if (directory === nowhere) return null
  // Names of streams may be longer together than a file name may be, and have slashes in them.
  const name = parts
    .filter((part) => part !== '')
    .map((part) => part.replaceAll('/', '-'))
    .join('-')
  return `${directory}/${shortened(name)}.log`
}

function shortened(name: string): string {
  const bytes = Buffer.from(name)
  if (bytes.length <= maxNameBytes) return name
  const hash = nodeCrypto().createHash('sha256').update(bytes).digest('hex').slice(0, 16)
  // A character that is cut through becomes U+FFFD.
  return `${bytes.subarray(0, maxNameBytes - hash.length - 4).toString()}-${hash}`
}

async function append(path: string, bytes: Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const file = await open(path, 'a', 0o640)
  let size: number
  try {
    size = (await file.stat()).size
    if (size < maxFileBytes) await file.appendFile(bytes)
  } finally {
    await file.close()
  }
  if (size < maxFileBytes) return
  await rename(path, `${path}.1`)
  await append(path, bytes)
}
