import type { EdgeFile } from './edge-store.ts'

/** Playlists that are looked after at once; beyond, the oldest are looked at anew. */
const maxPaths = 1000

/**
 * Playlists of streams that stand still at the server they come from, for its encoder is gone: finds out whether the stream
 * goes on at another one. Numbers tell it at once where servers number alike; else a second look does.
 */
export class StillLooks {
  /** For each playlist what each server had of it when it was looked at last. */
  readonly #etags = new Map<string, Map<string, string>>()

  /**
   * Whether a playlist goes on.
   * @param found what a server has of it now
   * @param before what there is of it
   */
  goesOn({ path, upstream, etag, playlist }: EdgeFile, before: EdgeFile): boolean {
    if (upstream === before.upstream) return etag !== before.etag
    if ((playlist?.end ?? 0) > (before.playlist?.end ?? 0)) return true
    const etags = this.#etagsOf(path)
    const last = etags.get(upstream)
    etags.set(upstream, etag)
    return last !== undefined && last !== etag
  }

  forget(path: string): void {
    this.#etags.delete(path)
  }

  #etagsOf(path: string): Map<string, string> {
    const known = this.#etags.get(path)
    if (known !== undefined) return known
    const [oldest] = this.#etags.keys()
    if (oldest !== undefined && this.#etags.size >= maxPaths) this.#etags.delete(oldest)
    const etags = new Map<string, string>()
    this.#etags.set(path, etags)
    return etags
  }
}
