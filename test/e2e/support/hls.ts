import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Playlist, parsePlaylist } from '../../../src/media/hls/playlist.ts'
import { run } from './command.ts'
import { type Server, type ServerOptions, startServer } from './server.ts'
import { until } from './until.ts'

/** Directives of the hls section, beside or instead of the harness's own. */
export type HlsSettings = Readonly<Record<string, string | number>>

/** A configuration that writes HLS into the server's directory; the clip has a key frame each two seconds. */
export function hlsOptions(settings: HlsSettings = {}, more: ServerOptions = {}): ServerOptions {
  const directives = {
    enabled: 'on',
    hls_path: './html',
    hls_key_file_path: './html',
    hls_fragment: 2,
    hls_window: 600,
    ...settings,
  }
  const lines = Object.entries(directives).map(([name, value]) => `${name} ${value};`)
  return { ...more, vhost: `hls {\n${lines.join('\n')}\n}\n${more.vhost ?? ''}` }
}

/** The HLS files of one stream of a server. */
export class HlsFiles {
  readonly dir: string
  readonly #stream: string

  /** A server that writes HLS, and the files of its stream `one`. */
  static async start(
    settings: HlsSettings = {},
    more: ServerOptions = {},
  ): Promise<{ server: Server; hls: HlsFiles }> {
    const server = await startServer(hlsOptions(settings, more))
    return { server, hls: new HlsFiles(server) }
  }

  constructor(server: Server, stream = 'one') {
    this.dir = join(server.dir, 'html/live')
    this.#stream = stream
  }

  get playlistFile(): string {
    return join(this.dir, `${this.#stream}.m3u8`)
  }

  /** What players see now; null before there is anything. */
  get playlist(): Playlist | null {
    return existsSync(this.playlistFile) ? parsePlaylist(readFileSync(this.playlistFile, 'utf8')) : null
  }

  /** Names of all files, in order. */
  get names(): string[] {
    return existsSync(this.dir) ? readdirSync(this.dir).sort() : []
  }

  /** Waits until the newest segment has at least that number. */
  async has(sequence: number): Promise<Playlist> {
    return until(`segment ${sequence} of ${this.#stream}`, () => {
      const { playlist } = this
      return playlist !== null && lastSequence(playlist) >= sequence && playlist
    })
  }

  /** Waits until that much of the stream is in the playlist, in milliseconds. */
  async lasts(ms: number): Promise<Playlist> {
    return until(`${ms} ms of ${this.#stream}`, () => {
      const { playlist } = this
      return playlist !== null && lengthOf(playlist) >= ms && playlist
    })
  }

  /** What ffprobe complains of when it opens the playlist as a player does. */
  async complaints(playlist = this.playlistFile): Promise<string> {
    const options = ['-v', 'error', '-allowed_extensions', 'ALL', '-show_streams']
    const { status, stderr } = await run('ffprobe', [...options, playlist])
    return status === 0 ? stderr : `status ${status}: ${stderr}`
  }

  /** A copy of the playlist that says that nothing more comes: with it ffmpeg plays to the end, and ends. */
  ended(): string {
    const file = join(this.dir, `${this.#stream}-ended.m3u8`)
    writeFileSync(file, `${readFileSync(this.playlistFile, 'utf8')}#EXT-X-ENDLIST\n`)
    return file
  }
}

/** Number of the newest segment. */
export function lastSequence({ mediaSequence, segments }: Playlist): number {
  return mediaSequence + segments.length - 1
}

export function lengthOf({ segments }: Playlist): number {
  return segments.reduce((sum, { durationMs }) => sum + durationMs, 0)
}

/** Numbers of the segments that begin behind a discontinuity. */
export function discontinuitiesOf({ mediaSequence, segments }: Playlist): number[] {
  return segments.flatMap(({ discontinuity }, index) => (discontinuity ? [mediaSequence + index] : []))
}
