import { posix, resolve } from 'node:path'
import type { Config, VhostConfig } from '../../config/config.ts'
import { mountAddress } from '../mount-address.ts'
import type { FileTarget } from './file-target.ts'
import { patternOf, withGroups } from './hls-streams.ts'

/** Requests of which the path looks like this are for a file of that name. */
interface Rule {
  readonly vhost: string
  /** That the request must name; null: any that leads to the virtual host. */
  readonly host: string | null
  readonly path: RegExp
  readonly root: string
  /** A path below it, with variables in it. */
  readonly file: string
}

/**
 * Where HLS is served that is kept in memory (`hls_storage ram`, `both`): the playlist at `hls_mount`, and what it names
 * where players look for it. No directory that is served has to have the files.
 */
export class HlsMounts {
  readonly #rules: readonly Rule[]

  constructor(config: Config) {
    this.#rules = Object.entries(config.vhosts)
      .filter(([, { enabled, hls }]) => enabled && hls.enabled && hls.hlsStorage !== 'disk')
      .flatMap(([vhost, { hls }]) => rulesOf(vhost, hls))
  }

  /**
   * @param host that the request names, in lower case and without port
   * @param vhost the virtual host that it leads to
   * @param path decoded
   * @returns null: it is for nothing of the kind
   */
  find(host: string, vhost: string | null, path: string): FileTarget | null {
    for (const rule of this.#rules) {
      if (rule.host === null ? rule.vhost !== vhost : rule.host !== host) continue
      const groups = rule.path.exec(path)?.groups
      if (groups !== undefined) return { root: rule.root, path: withGroups(rule.file, rule.vhost, groups) }
    }
    return null
  }
}

/** The path of a virtual host's playlists, with `[app]` and `[stream]` in it; null: another host's. */
export function hlsMountPath({ hlsMount }: VhostConfig['hls'], host: string): string | null {
  const address = mountAddress(hlsMount)
  return address.host === null || address.host === host ? address.path : null
}

/**
 * The paths that the files of streams are asked for with, as templates: below the root as their names say, or where
 * `hls_mount` has them.
 */
export function hlsPaths(hls: VhostConfig['hls']): { playlist: string; segment: string; key: string } {
  const below = (file: string): string => posix.join('/', file)
  if (hls.hlsStorage === 'disk') {
    return { playlist: below(hls.hlsM3u8File), segment: below(hls.hlsTsFile), key: below(hls.hlsKeyFile) }
  }
  const playlist = mountAddress(hls.hlsMount).path
  /** As `HlsNames` writes it into the playlist: relative to that, or from the root behind a prefix. */
  const named = (file: string, prefix: string): string => {
    if (prefix !== '') return below(file)
    const relative = posix.relative(posix.dirname(below(hls.hlsM3u8File)), below(file))
    return posix.join(posix.dirname(playlist), relative)
  }
  return {
    playlist,
    segment: named(hls.hlsTsFile, hls.hlsEntryPrefix),
    key: named(hls.hlsKeyFile, hls.hlsKeyUrl),
  }
}

function rulesOf(vhost: string, hls: VhostConfig['hls']): Rule[] {
  const { host } = mountAddress(hls.hlsMount)
  const rule = (path: string, dir: string, file: string): Rule => {
    return { vhost, host, path: patternOf(path, vhost), root: resolve(dir), file: posix.join('/', file) }
  }
  const { playlist, segment, key } = hlsPaths(hls)
  // Keys in a directory of their own are for who serves that.
  const isWithKeys = hls.hlsKeys && resolve(hls.hlsKeyFilePath) === resolve(hls.hlsPath)
  return [
    rule(playlist, hls.hlsPath, hls.hlsM3u8File),
    rule(segment, hls.hlsPath, hls.hlsTsFile),
    ...(isWithKeys ? [rule(key, hls.hlsKeyFilePath, hls.hlsKeyFile)] : []),
  ]
}
