import { posix } from 'node:path'
import { expandPath, type TemplateValues } from '../path-template.ts'

/** What the directives say of names, and whose they are. */
export interface NameOptions {
  readonly vhost: string
  readonly app: string
  readonly stream: string
  /** `hls_path`, `hls_m3u8_file`, `hls_ts_file` and `hls_entry_prefix`. */
  readonly root: string
  readonly playlist: string
  readonly segment: string
  readonly entryPrefix: string
  /** `hls_key_file_path`, `hls_key_file` and `hls_key_url`. */
  readonly keyRoot: string
  readonly key: string
  readonly keyUrl: string
  /** `utc_time`. */
  readonly utc: boolean
}

/** What a segment's name may be made of, beside whose it is. */
export interface SegmentValues {
  readonly seq: number
  readonly durationMs: number
  readonly timestamp: number
  readonly atMs: number
}

/** A file, and how a playlist names it. */
export interface NamedFile {
  readonly file: string
  readonly uri: string
}

/**
 * The names of one stream's files, and what they are in a playlist: relative to it, or behind a prefix. Every file is
 * below its directory, whatever a stream is called.
 */
export class HlsNames {
  readonly #options: NameOptions
  /** The playlist below `root`, and as the system finds it. */
  readonly playlistPath: string
  readonly playlistFile: string

  /** @throws WeirError PATH_TEMPLATE */
  constructor(options: NameOptions) {
    this.#options = options
    this.playlistPath = expandPath(options.playlist, streamValues(options))
    this.playlistFile = posix.join(options.root, this.playlistPath)
  }

  /** @throws WeirError PATH_TEMPLATE */
  segment({ seq, durationMs, timestamp, atMs }: SegmentValues): NamedFile {
    const { root, segment, entryPrefix, utc } = this.#options
    const path = expandPath(segment, {
      ...streamValues(this.#options),
      seq,
      duration: Math.round(durationMs),
      timestamp,
      time: new Date(atMs),
      utc,
    })
    return { file: posix.join(root, path), uri: this.#uriOf(path, entryPrefix) }
  }

  /**
   * @param seq number of the first segment that the key is for
   * @throws WeirError PATH_TEMPLATE
   */
  key(seq: number): NamedFile {
    const { keyRoot, key, keyUrl } = this.#options
    const path = expandPath(key, { ...streamValues(this.#options), seq })
    return { file: posix.join(keyRoot, path), uri: this.#uriOf(path, keyUrl) }
  }

  /** The file of a segment that a playlist names; null if it is none of ours. */
  segmentFile(uri: string): string | null {
    return this.#fileOf(uri, this.#options.entryPrefix, this.#options.root)
  }

  /** The file of a key that a playlist names; null if it is none of ours. */
  keyFile(uri: string): string | null {
    return this.#fileOf(uri, this.#options.keyUrl, this.#options.keyRoot)
  }

  /** Behind the prefix; without one relative to the playlist, as if its directory and the file's were one. */
  #uriOf(path: string, prefix: string): string {
    const isPrefixed = prefix !== ''
    const written = isPrefixed ? path : posix.relative(posix.dirname(this.playlistPath), path)
    const uri = written.split('/').map(encodeURIComponent).join('/')
    return isPrefixed ? `${prefix.replace(/\/$/, '')}/${uri}` : uri
  }

  #fileOf(uri: string, prefix: string, root: string): string | null {
    const decoded = decodedOrNull(prefix === '' ? uri : withoutPrefix(uri, prefix))
    if (decoded === null) return null
    const path = posix.join(prefix === '' ? posix.dirname(this.playlistPath) : '.', decoded)
    return path === '.' || path.endsWith('/') || /^\.\.(\/|$)/.test(path) ? null : posix.join(root, path)
  }
}

function streamValues({ vhost, app, stream }: NameOptions): TemplateValues {
  return { vhost, app, stream }
}

function withoutPrefix(uri: string, prefix: string): string | null {
  const start = `${prefix.replace(/\/$/, '')}/`
  return uri.startsWith(start) ? uri.slice(start.length) : null
}

/** Null also for what has another origin: it is not below any directory of ours. */
function decodedOrNull(uri: string | null): string | null {
  if (uri === null || /^[a-z][a-z0-9+.-]*:|^\//i.test(uri)) return null
  try {
    return decodeURIComponent(uri)
  } catch (error) {
    if (error instanceof URIError) return null
    throw error
  }
}
