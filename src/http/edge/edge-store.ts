import { noteDropped } from '../../base/external-memory.ts'
import type { PlaylistFacts } from './playlist-facts.ts'

/** A file of another server in memory. */
export interface EdgeFile {
  readonly path: string
  readonly bytes: Buffer
  readonly etag: string
  readonly contentType: string
  /** Of a playlist. */
  readonly playlist: PlaylistFacts | null
  /** The server that it is of. */
  readonly upstream: string
  /** When it was asked for. */
  readonly fetchedAtMs: number
  /** Since when it has been as it is, as far as that is known here. */
  readonly changedAtMs: number
}

/** What nobody asked for in this time is let go, in milliseconds. */
const idleMs = 60_000

/** What an entry costs beside its bytes, about. */
const entryBytes = 1024

interface Entry {
  readonly file: EdgeFile
  usedAtMs: number
}

/** Files of other servers, within a bound of bytes: those that nobody asked for longest are let go first. */
export class EdgeStore {
  /** The one used longest ago first. */
  readonly #entries = new Map<string, Entry>()
  #maxBytes: number
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  get files(): number {
    return this.#entries.size
  }

  set maxBytes(bytes: number) {
    this.#maxBytes = bytes
    this.#shrink()
  }

  /** A file that may be passed on without asking anybody; null: there is none. */
  fresh(path: string, nowMs: number): EdgeFile | null {
    const entry = this.#entries.get(path)
    if (entry === undefined) return null
    const { playlist, fetchedAtMs } = entry.file
    if (playlist !== null && nowMs - fetchedAtMs >= playlist.freshMs) return null
    entry.usedAtMs = nowMs
    this.#entries.delete(path)
    this.#entries.set(path, entry)
    return entry.file
  }

  /** A file, however old. */
  get(path: string): EdgeFile | null {
    return this.#entries.get(path)?.file ?? null
  }

  keep(file: EdgeFile, nowMs: number): void {
    this.forget(file.path)
    this.#entries.set(file.path, { file, usedAtMs: nowMs })
    this.#bytes += sizeOf(file)
    this.#shrink()
  }

  forget(path: string): void {
    const entry = this.#entries.get(path)
    if (entry === undefined) return
    this.#entries.delete(path)
    this.#bytes -= sizeOf(entry.file)
    noteDropped(entry.file.bytes.length)
  }

  /** To be called about once a second. */
  sweep(nowMs: number): void {
    for (const [path, { usedAtMs }] of this.#entries) {
      if (nowMs - usedAtMs <= idleMs) break
      this.forget(path)
    }
  }

  #shrink(): void {
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes) break
      this.forget(oldest)
    }
  }
}

function sizeOf({ path, bytes }: EdgeFile): number {
  return bytes.length + path.length + entryBytes
}
