import { Command, run } from './command.ts'
import { parseTrack, type Track } from './frames.ts'
import { until } from './until.ts'

const quiet = ['-hide_banner', '-nostdin', '-loglevel', 'error']

/** Both tracks of a file or a stream. */
export interface Tracks {
  readonly video: Track
  readonly audio: Track
}

/** One output for each track: in a common one ffmpeg holds a track back until the other has come as far. */
function listFrames(input: string): string[] {
  const list = (track: string, output: string): string[] =>
    `-map ${track} -c copy -flush_packets 1 -f framemd5 ${output}`.split(' ')
  return [...quiet, '-copyts', '-i', input, ...list('0:v', 'pipe:1'), ...list('0:a', 'pipe:3')]
}

/** The frames of a file as ffmpeg reads them. */
export async function framesOfFile(file: string): Promise<Tracks> {
  const command = new Command('ffmpeg', listFrames(file), { third: true })
  const { status, stdout, stderr } = await command.exited
  if (status !== 0) throw new Error(`ffmpeg cannot read ${file}: ${stderr}`)
  return { video: parseTrack(stdout), audio: parseTrack(command.third) }
}

/** ffmpeg as a player: it lists the frames it gets, as they come. */
export class FfmpegPlayer {
  readonly #command: Command

  constructor(url: string) {
    this.#command = new Command('ffmpeg', listFrames(url), { third: true })
  }

  get tracks(): Tracks {
    return { video: parseTrack(this.#command.stdout), audio: parseTrack(this.#command.third) }
  }

  /** Waits until it has that many frames of each track. */
  async has(videoFrames: number, audioFrames: number): Promise<Tracks> {
    await until(`ffmpeg to play ${videoFrames} video and ${audioFrames} audio frames`, () => {
      if (this.#command.finished !== null) throw new Error(`the player ended: ${this.#command.stderr}`)
      const { video, audio } = this.tracks
      return video.frames.length >= videoFrames && audio.frames.length >= audioFrames
    })
    return this.tracks
  }
}

/** How ffmpeg publishes a file. */
export interface PublishOptions {
  /** How many times faster than in real time; 1 by default. */
  readonly rate?: number
  /** Again and again, until it is stopped. */
  readonly loop?: boolean
}

/** Publishes a file as it is, without encoding it again. */
export function publishFile(file: string, url: string, options: PublishOptions = {}): Command {
  const { rate = 1, loop = false } = options
  const input = [...(loop ? ['-stream_loop', '-1'] : []), '-readrate', String(rate), '-i', file]
  return new Command('ffmpeg', [...quiet, ...input, '-c', 'copy', '-f', 'flv', url])
}

/** A track as ffprobe describes it. */
export interface ProbedTrack {
  readonly codec_type: string
  readonly codec_name: string
  readonly profile?: string
  readonly width?: number
  readonly height?: number
  readonly r_frame_rate?: string
  readonly sample_rate?: string
  readonly channels?: number
}

/** What ffprobe finds in a stream. */
export async function probe(url: string): Promise<ProbedTrack[]> {
  const options = '-hide_banner -loglevel error -print_format json -show_streams'.split(' ')
  const { status, stdout, stderr } = await run('ffprobe', [...options, url])
  if (status !== 0) throw new Error(`ffprobe cannot read ${url}: ${stderr}`)
  return (JSON.parse(stdout) as { streams: ProbedTrack[] }).streams
}
