import { resolve } from 'node:path'
import type { Config } from '../../config/config.ts'
import { vhostNameOf } from '../../config/vhost-of.ts'
import { mountAddress } from '../mount-address.ts'

/** A file that a request is for; whether it is there is not known. */
export interface FileTarget {
  /** Absolute path of the directory that is served. */
  readonly root: string
  /** Path below it, decoded, with its leading slash. */
  readonly path: string
}

/** A mount of `http_static`. */
interface Mount {
  readonly vhost: string
  readonly host: string | null
  /** Without a slash at its end: '' is everything. */
  readonly prefix: string
  readonly root: string
}

/** C0 and DEL, and the backslash: no file of ours has them, and other systems read the last one as a slash. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const forbidden = /[\u0000-\u001f\u007f\\]/

/** Where files are served from: the mounts of virtual hosts (`http_static`), and `http_server`'s directory for all. */
export class FileRoots {
  readonly #config: Config
  /** The longest prefix first. */
  readonly #mounts: readonly Mount[]
  readonly #root: string

  constructor(config: Config) {
    this.#config = config
    this.#root = resolve(config.httpServer.dir)
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
    for (const { vhost, host: mountHost, prefix, root } of this.#mounts) {
      if (mountHost === null ? vhost !== name : mountHost !== host) continue
      if (path === prefix) return { root, path: '/' }
      if (path.startsWith(`${prefix}/`)) return { root, path: path.slice(prefix.length) }
    }
    return { root: this.#root, path }
  }
}

/** The path as text, or null if no file can have it. */
export function decodePath(encoded: string): string | null {
  let path: string
  try {
    path = decodeURIComponent(encoded)
  } catch (error) {
    if (error instanceof URIError) return null
    throw error
  }
  if (!path.startsWith('/') || forbidden.test(path)) return null
  const segments = path.split('/').slice(1)
  const isPlain = segments.every((segment, index) => {
    const isLast = index === segments.length - 1
    return segment === '' ? isLast : !segment.startsWith('.')
  })
  return isPlain ? path : null
}
