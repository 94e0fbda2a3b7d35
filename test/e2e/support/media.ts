import { join } from 'node:path'
import { inject } from 'vitest'

/** Files that the global setup makes once for all tests; each is H.264 and AAC in FLV. */
export interface Media {
  /** 10 s, 320x180, 25 frames per second, a key frame each two seconds, two B-frames; 44.1 kHz stereo. */
  readonly clip: string
  /** Distinct ones of 3 s, tiny, with a key frame at the beginning and no other; 22.05 kHz mono. */
  readonly tiny: readonly string[]
}

declare module 'vitest' {
  interface ProvidedContext {
    media: Media
  }
}

const tinyClips = 20

/** The files in a directory, made or to be made. */
export function mediaIn(dir: string): Media {
  const tiny = Array.from({ length: tinyClips }, (_, index) => join(dir, `tiny-${index}.flv`))
  return { clip: join(dir, 'clip.flv'), tiny }
}

/** The files of this run. */
export const media = (): Media => inject('media')

/** Arguments of ffmpeg that make the clip. */
export function clipArguments(file: string): string[] {
  const video = 'testsrc2=size=320x180:rate=25:duration=10'
  const audio = 'sine=frequency=440:sample_rate=44100:duration=10'
  return [...inputs(video, audio), ...encoder({ gop: 50, bFrames: 2, channels: 2 }), file]
}

/** Arguments of ffmpeg that make one of the tiny ones; each has its own colours and its own tone. */
export function tinyArguments(file: string, index: number): string[] {
  const video = `testsrc2=size=128x72:rate=10:duration=3,hue=h=${index * 17}`
  const audio = `sine=frequency=${200 + 50 * index}:sample_rate=22050:duration=3`
  return [...inputs(video, audio), ...encoder({ gop: 30, bFrames: 0, channels: 1 }), file]
}

function inputs(video: string, audio: string): string[] {
  return ['-y', '-f', 'lavfi', '-i', video, '-f', 'lavfi', '-i', audio]
}

function encoder(options: { gop: number; bFrames: number; channels: number }): string[] {
  const { gop, bFrames, channels } = options
  const video = `-c:v libx264 -preset ultrafast -profile:v main -pix_fmt yuv420p -sc_threshold 0 -g ${gop} -bf ${bFrames}`
  const audio = `-c:a aac -b:a 64k -ac ${channels}`
  return `${video} ${audio} -f flv`.split(' ')
}
