import { join, resolve } from 'node:path'
import type { Config, VhostConfig } from '../../config/config.ts'
import { type StreamKey, splitStreamId, streamId } from '../../live/stream-key.ts'

/** The stream that a file of HLS is of, and the virtual host that writes it. */
export interface HlsOwner {
  readonly stream: StreamKey
  readonly vhost: VhostConfig
}

interface Pattern {
  readonly name: string
  readonly vhost: VhostConfig
  readonly path: RegExp
}

/** Variables of a path template: names, and numbers. */
const variable = /^\[(?:(app|stream)|(seq|duration|timestamp|2006|01|02|15|04|05|999))\]$/

/** Whose files playlists, segments and keys of HLS are, by the names that the configuration gives them. */
export class HlsStreams {
  readonly #patterns: readonly Pattern[]

  /** @param isWanted the virtual hosts whose files are looked for */
  constructor(config: Config, isWanted: (vhost: VhostConfig) => boolean) {
    this.#patterns = Object.entries(config.vhosts)
      .filter(([, vhost]) => vhost.enabled && vhost.hls.enabled && isWanted(vhost))
      .flatMap(([name, vhost]) =>
        templatesOf(vhost).map((path) => ({ name, vhost, path: patternOf(path, name, unfinished) })),
      )
  }

  /**
   * The streams that a file may be of: one of each virtual host that would write it so. Files in the making, which have
   * an ending more, are theirs too.
   * @param path absolute, without segments that mean nothing (`.`, `..`, '')
   */
  ownersOf(path: string): HlsOwner[] {
    return this.#patterns.flatMap(({ name, vhost, path: pattern }) => {
      const groups = pattern.exec(path)?.groups
      if (groups === undefined) return []
      // As one string the parts are the same however they are told apart.
      const id = streamId({ vhost: name, app: groups.app ?? '', stream: groups.stream ?? '' })
      return [{ stream: splitStreamId(id), vhost }]
    })
  }
}

/** What the name of a file in the making has behind its own. */
const unfinished = '(?:\\.[^/]*)?'

/** The paths of a virtual host's files, absolute, with variables in them. */
function templatesOf({ hls }: VhostConfig): string[] {
  const root = resolve(hls.hlsPath)
  const keys = hls.hlsKeys ? [join(resolve(hls.hlsKeyFilePath), hls.hlsKeyFile)] : []
  return [join(root, hls.hlsM3u8File), join(root, hls.hlsTsFile), ...keys]
}

/**
 * What a path template matches, with a group for each variable: `app`, `stream`, and for numbers `n` and the variable. One that
 * comes again stands for the same.
 * @param end what may follow, as the source of a regular expression
 */
export function patternOf(path: string, vhost: string, end = ''): RegExp {
  const seen = new Set<string>()
  const named = (name: string, characters: string): string => {
    if (seen.has(name)) return `\\k<${name}>`
    seen.add(name)
    return `(?<${name}>${characters})`
  }
  const parts = path.split(/(\[\w+\])/).map((part) => {
    if (part === '[vhost]') return RegExp.escape(vhost)
    const [, name, number] = variable.exec(part) ?? []
    if (name !== undefined) return named(name, '.+')
    return number === undefined ? RegExp.escape(part) : named(`n${number}`, '\\d+')
  })
  return new RegExp(`^${parts.join('')}${end}$`, 's')
}

/** A path template with what {@link patternOf} has found in another one. A variable that was not in that stays as it is. */
export function withGroups(
  template: string,
  vhost: string,
  groups: Readonly<Record<string, string | undefined>>,
): string {
  return template.replace(/\[(\w+)\]/g, (written, name: string) => {
    return name === 'vhost' ? vhost : (groups[name] ?? groups[`n${name}`] ?? written)
  })
}
