import { resolve } from 'node:path'
import type { Config } from '../../config/config.ts'
import { vhostNameOf } from '../../config/vhost-of.ts'
import { mountAddress } from '../mount-address.ts'
import { decodePath, type FileTarget, isPlainPath } from './file-target.ts'
import { HlsMounts } from './hls-mounts.ts'

/** A mount of `http_static`. */
interface Mount {
  readonly vhost: string
  readonly host: string | null
  /** Without a slash at its end: '' is everything. */
  readonly prefix: string
  readonly root: string
}

/**
 * Where files are served from: where HLS in memory is (`hls_mount`), the mounts of virtual hosts (`http_static`), and
 * `http_server`'s directory for all.
 */
export class FileRoots {
  readonly #config: Config
  /** The longest prefix first. */
  readonly #mounts: readonly Mount[]
  readonly #root: string
  readonly #hls: HlsMounts

  constructor(config: Config) {
    this.#config = config
    this.#root = resolve(config.httpServer.dir)
    this.#hls = new HlsMounts(config)
    this.#mounts = Object.entries(config.vhosts)
      .filter(([, { enabled, httpStatic }]) => enabled && httpStatic.enabled)
      .map(([vhost, { httpStatic }]) => {
        const { host, path } = mountAddress(httpStatic.mount)
        const prefix = path.replaceAll('[vhost]', vhost).replace(/\/+$/, '')
        return { vhost, host, prefix, root: resolve(httpStatic.dir) }
      })
      .sort((a, b) => b.prefix.length - a.prefix.length)
  }

  /**
   * The file that a request is for.
   * @param host of the request, in lower case and without port
   * @param encoded path, percent-encoded
   * @param query may name another virtual host: `vhost=V`
   * @returns null when the path cannot be that of a file that is served: it leaves its directory, has a hidden
   *   segment (`.git`) or bytes that are no text
   */
  find(host: string, encoded: string, query: URLSearchParams): FileTarget | null {
    const path = decodePath(encoded)
    if (path === null) return null
    const name = vhostNameOf(this.#config, query.get('vhost') || host)
    const segment = this.#hls.find(host, name, path)
    if (segment !== null) return isPlainPath(segment.path) ? segment : null
    for (const { vhost, host: mountHost, prefix, root } of this.#mounts) {
      if (mountHost === null ? vhost !== name : mountHost !== host) continue
      if (path === prefix) return { root, path: '/' }
      if (path.startsWith(`${prefix}/`)) return { root, path: path.slice(prefix.length) }
    }
    return { root: this.#root, path }
  }
}
