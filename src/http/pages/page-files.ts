import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'

/** A file of the pages as one client gets it. */
export interface PageFile {
  readonly bytes: Buffer
  readonly etag: string
  readonly contentType: string
  /** How the bytes are compressed; null: they are not. */
  readonly encoding: 'br' | 'gzip' | null
  /** Its name has a hash of its content: it never changes. */
  readonly isImmutable: boolean
}

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
}

/** Endings of the files that the build has compressed, the best first. */
const encodings = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const

/**
 * The built pages. Nothing is read before somebody asks, and each file once: all of them together are small.
 */
export class PageFiles {
  readonly #dir: string
  #names: Promise<ReadonlySet<string>> | null = null
  readonly #files = new Map<string, Promise<PageFile>>()

  /** @param dir what the build made of web/ */
  constructor(dir: string) {
    this.#dir = dir
  }

  /**
   * @param path below the directory, without a leading slash: `console/index.html`
   * @param accepted the encodings that the client takes (`Accept-Encoding`)
   * @returns null when there is no such file
   * @throws the system's error when the pages are not there or cannot be read
   */
  async find(path: string, accepted: string): Promise<PageFile | null> {
    const names = await this.#list()
    const contentType = contentTypes[extname(path)]
    if (contentType === undefined || !names.has(path)) return null
    const [encoding, ending] = encodings.find(
      ([name, suffix]) => names.has(path + suffix) && accepts(accepted, name),
    ) ?? [null, '']
    const name = path + ending
    const known = this.#files.get(name)
    if (known !== undefined) return known
    const file = this.#read(name, contentType, encoding, path.includes('/assets/'))
    this.#files.set(name, file)
    file.catch(() => this.#files.delete(name))
    return file
  }

  #list(): Promise<ReadonlySet<string>> {
    if (this.#names === null) {
      this.#names = readdir(this.#dir, { recursive: true }).then((names) => new Set(names))
      this.#names.catch(() => {
        this.#names = null
      })
    }
    return this.#names
  }

  async #read(
    name: string,
    contentType: string,
    encoding: PageFile['encoding'],
    isImmutable: boolean,
  ): Promise<PageFile> {
    const bytes = await readFile(join(this.#dir, name))
    const digest = createHash('sha256').update(bytes).digest('base64url').slice(0, 16)
    return { bytes, etag: `"${digest}"`, contentType, encoding, isImmutable }
  }
}

/** Whether a client takes an encoding (RFC 9110, 12.5.3); `q=0` is a no. */
function accepts(accepted: string, encoding: string): boolean {
  return accepted.split(',').some((part) => {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase())
    return name === encoding && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter))
  })
}
