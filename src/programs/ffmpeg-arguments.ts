import { WeirError } from '../base/errors.ts'
import type { VhostConfig } from '../config/config.ts'

/** What is configured for one run of FFmpeg, `engine { … }` of a transcode or an ingest. */
export type EngineConfig = VhostConfig['transcode'][string]['engine'][string]

export interface FfmpegRun {
  /** `ff_log_level` */
  readonly logLevel: string
  /** Options before the input beside those of `perfile`: `-re`. */
  readonly inputOptions: readonly string[]
  readonly input: string
  readonly output: string
}

const none = ['', 'off']

/**
 * The arguments of FFmpeg as SRS makes them of an engine.
 * @param engine null: video and audio are copied as they are
 * @throws WeirError PROGRAM_COMMAND when nothing would be left to put out
 */
export function ffmpegArguments(engine: EngineConfig | null, run: FfmpegRun): string[] {
  const { logLevel, inputOptions, input, output } = run
  if (output === '') throw new WeirError('PROGRAM_COMMAND', 'the engine has no output')
  if (engine !== null && (engine.vcodec === '' || engine.acodec === '')) {
    throw new WeirError(
      'PROGRAM_COMMAND',
      'the engine needs a vcodec (or copy, or vn) and an acodec (or copy, or an)',
    )
  }
  if (engine?.vcodec === 'vn' && engine.acodec === 'an') {
    throw new WeirError('PROGRAM_COMMAND', 'the engine leaves out both video (vn) and audio (an)')
  }
  const oformat = engine === null ? 'flv' : engine.oformat
  return [
    '-hide_banner',
    '-nostdin',
    '-nostats',
    ...(none.includes(logLevel) ? [] : ['-loglevel', logLevel]),
    ...inputOptions,
    ...options(engine?.perfile ?? []),
    // What is no RTMP tells itself what it is.
    ...(engine !== null && input.startsWith('rtmp://') ? formatOf(engine.iformat) : []),
    '-i',
    input,
    ...(engine === null ? ['-vcodec', 'copy', '-acodec', 'copy'] : codecArguments(engine)),
    ...formatOf(oformat),
    '-y',
    output,
  ]
}

function codecArguments(engine: EngineConfig): string[] {
  return [...options(engine.vfilter), ...videoArguments(engine), ...audioArguments(engine)]
}

function videoArguments(engine: EngineConfig): string[] {
  const { vcodec, vbitrate, vfps, vthreads, vprofile, vpreset, vparams } = engine
  if (vcodec === 'vn') return ['-vn']
  const codec = ['-vcodec', vcodec]
  if (vcodec === 'copy') return codec
  // Encoders of 4:2:0 take even sizes only.
  const [width, height] = [engine.vwidth & ~1, engine.vheight & ~1]
  const isSized = width > 0 && height > 0
  return [
    ...codec,
    ...(vbitrate > 0 ? ['-b:v', String(vbitrate * 1000)] : []),
    ...(vfps > 0 ? ['-r', String(vfps)] : []),
    ...(isSized ? ['-s', `${width}x${height}`, '-aspect', `${width}:${height}`] : []),
    ...(vthreads > 0 ? ['-threads', String(vthreads)] : []),
    ...(vprofile === '' ? [] : ['-profile:v', vprofile]),
    ...(vpreset === '' ? [] : ['-preset', vpreset]),
    ...options(vparams),
  ]
}

function audioArguments({ acodec, abitrate, asampleRate, achannels, aparams }: EngineConfig): string[] {
  if (acodec === 'an') return ['-an']
  const codec = ['-acodec', acodec]
  if (acodec === 'copy') {
    // The filter that AAC from a transport stream needs in FLV; all other options are the encoder's.
    const filters = aparams.filter(([name, value]) => name === 'bsf:a' && value === 'aac_adtstoasc')
    return [...codec, ...options(filters)]
  }
  return [
    ...codec,
    ...(abitrate > 0 ? ['-b:a', String(abitrate * 1000)] : []),
    ...(asampleRate > 0 ? ['-ar', String(asampleRate)] : []),
    ...(achannels > 0 ? ['-ac', String(achannels)] : []),
    ...options(aparams),
  ]
}

/** The lines of `perfile`, `vfilter`, `vparams` and `aparams`: an option each, without its dash. */
function options(lines: readonly (readonly string[])[]): string[] {
  return lines.flatMap(([name = '', ...values]) => [`-${name}`, ...values])
}

function formatOf(format: string): string[] {
  return none.includes(format) ? [] : ['-f', format]
}

/** Where SRS builds its FFmpeg; who brings an srs.conf along has it elsewhere. */
const srsFfmpeg = './objs/ffmpeg/bin/ffmpeg'

/** The programs to try for the directive `ffmpeg`. */
export function ffmpegPrograms(configured: string): string[] {
  return configured === srsFfmpeg ? [srsFfmpeg, 'ffmpeg'] : [configured]
}
