import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

/** The clips of the set, by their whole bit rate in kbit/s: constant, so that it can be checked. */
export const clips = {
  2000: { video: 1936, audio: 64, size: '1280x720' },
  500: { video: 436, audio: 64, size: '640x360' },
  250: { video: 202, audio: 48, size: '426x240' },
} as const

export type ClipKbps = keyof typeof clips

const seconds = 20

/**
 * Makes a clip of ffmpeg's test picture and tone: H.264 without B-frames and AAC, 25 frames/s, a key frame each 2 s.
 * @returns its path
 * @throws Error when there is no ffmpeg, or none with libx264
 */
export function makeClip(dir: string, kbps: ClipKbps): string {
  const { video, audio, size } = clips[kbps]
  const path = join(dir, `${kbps}k.flv`)
  const command = [
    '-v error -y -f lavfi -i',
    `testsrc2=size=${size}:rate=25`,
    '-f lavfi -i sine=frequency=440:sample_rate=44100',
    `-t ${seconds} -c:v libx264 -preset veryfast -profile:v main -pix_fmt yuv420p -g 50 -keyint_min 50 -sc_threshold 0 -bf 0`,
    // Filler keeps it constant; a buffer of one second lets key frames be larger than others.
    `-b:v ${video}k -minrate ${video}k -maxrate ${video}k -bufsize ${video}k -nal-hrd cbr`,
    `-c:a aac -b:a ${audio}k -f flv ${path}`,
  ]
  const { status, stderr, error } = spawnSync('ffmpeg', command.join(' ').split(' '), { encoding: 'utf8' })
  if (status !== 0) throw new Error(`ffmpeg cannot make the clip: ${error?.message ?? stderr}`)
  return path
}
