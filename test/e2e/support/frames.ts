/** The frames of one audio or video track, as the framemd5 muxer of ffmpeg lists them. */
export interface Track {
  /** What describes the track: codec, size or rate, and the checksum of the decoder configuration. */
  readonly description: readonly string[]
  readonly frames: readonly Frame[]
}

/** Times are in units of the track's time base: milliseconds, for FLV and RTMP. */
export interface Frame {
  readonly dts: number
  readonly pts: number
  readonly sizeBytes: number
  readonly md5: string
}

/** Reads what framemd5 printed so far; a line that is being written is none. */
export function parseTrack(text: string): Track {
  const lines = text.split('\n').slice(0, -1)
  const isRemark = (line: string): boolean => line.startsWith('#')
  return {
    description: lines.filter((line) => isRemark(line) && !line.startsWith('#software')),
    frames: lines.filter((line) => !isRemark(line)).map(parseFrame),
  }
}

function parseFrame(line: string): Frame {
  const [, dts, pts, , sizeBytes, md5] = line.split(',').map((field) => field.trim())
  return { dts: Number(dts), pts: Number(pts), sizeBytes: Number(sizeBytes), md5: String(md5) }
}

/** The same frames with the time of the first one taken off: two that are equal then differ by a constant. */
export function fromZero(frames: readonly Frame[]): Frame[] {
  const start = frames[0]?.dts ?? 0
  return frames.map((frame) => ({ ...frame, dts: frame.dts - start, pts: frame.pts - start }))
}
