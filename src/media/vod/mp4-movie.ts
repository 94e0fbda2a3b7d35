import { WeirError } from '../../base/errors.ts'
import { parseAacConfig } from '../aac.ts'
import { parseAvcConfig } from '../avc.ts'
import { parseSps } from '../avc-sps.ts'
import { readCodedBody } from '../coded-body.ts'
import { parseHevcConfig } from '../hevc.ts'
import { parseHevcSize } from '../hevc-sps.ts'
import { fragmentBytes } from '../mp4/fragment.ts'
import type { Mp4Audio, Mp4Movie, Mp4Video } from '../mp4/movie.ts'
import { NalUnits } from '../nal-units.ts'
import { audioType, type PacketType, videoType } from '../packet.ts'
import type { Period, RecordingIndex, Sample, TrackHeader } from './recording.ts'

/** Type of a NAL unit that is a sequence parameter set of HEVC. */
const hevcSpsType = 33

/** Samples per second of MPEG-1 audio by index; the later versions have halves and quarters (ISO/IEC 11172-3, 2.4.2.3). */
const mpegRates = [44_100, 48_000, 32_000]
const ratePartsByVersion = [4, 0, 2, 1]
const monoMode = 3

/**
 * What an FLV recording is as an MP4 file.
 * @param first frames of its first segment
 * @throws WeirError VOD_FORMAT when it cannot be one; MEDIA_FORMAT
 */
export function movieOf({ periods, segments }: RecordingIndex, first: Iterable<Sample>): Mp4Movie {
  const period = periods[0]
  if (period === undefined) throw new WeirError('VOD_BROKEN', 'it has no frames')
  if (!periods.every((other) => hasSameHeaders(period, other))) {
    throw new WeirError(
      'VOD_FORMAT',
      'its codecs or their configuration change, which an MP4 file of ours cannot',
    )
  }
  return {
    video: period.video && videoOf(period.video, first),
    audio: period.audio && audioOf(period.audio),
    fragments: segments.map(({ videoFrames, audioFrames, frameBytes, durationMs }) => ({
      bytes: fragmentBytes(videoFrames, audioFrames, frameBytes),
      durationMs,
    })),
  }
}

function hasSameHeaders(a: Period, b: Period): boolean {
  return (['video', 'audio'] as const).every((track) => {
    const [one, other] = [a[track], b[track]]
    if (one === null || other === null) return one === other
    return one.codec === other.codec && Buffer.from(one.body).equals(other.body)
  })
}

function videoOf(header: TrackHeader, first: Iterable<Sample>): Mp4Video {
  const { codec } = header
  const { content, payload } = payloadOf(videoType, header)
  if (codec !== 'H264' && codec !== 'HEVC') throw new WeirError('VOD_FORMAT', `video: ${codec}`)
  if (content !== 'config' || isStartCoded(first)) {
    throw new WeirError(
      'VOD_FORMAT',
      `video: ${codec} behind start codes has no place in an MP4 file of ours`,
    )
  }
  return { codec, config: payload, ...(codec === 'H264' ? avcSize(payload) : hevcSize(payload)) }
}

function audioOf(header: TrackHeader): Mp4Audio {
  const { content, payload } = payloadOf(audioType, header)
  if (content === 'config') {
    const { channels, sampleRate } = parseAacConfig(payload)
    return { codec: 'AAC', config: payload, channels, sampleRate }
  }
  return { codec: 'MP3', config: Buffer.alloc(0), ...readMp3(payload) }
}

function payloadOf(type: PacketType, { body }: TrackHeader): { content: string; payload: Buffer } {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const coded = readCodedBody(type, bytes)
  if (coded === null) throw new WeirError('MEDIA_FORMAT', 'a header that is none')
  return { content: coded.content, payload: bytes.subarray(coded.start, coded.end) }
}

/** Whether pictures have start codes though their configuration says lengths. */
function isStartCoded(samples: Iterable<Sample>): boolean {
  const units = new NalUnits()
  for (const { track, body, start, end } of samples) {
    if (track !== 'video') continue
    units.read(body, start, end, 4)
    return units.isAnnexB
  }
  return false
}

function avcSize(config: Buffer): { width: number; height: number } {
  const [sps] = parseAvcConfig(config).sps
  if (sps === undefined) throw new WeirError('MEDIA_FORMAT', 'H.264 configuration without a parameter set')
  const { width, height } = parseSps(sps)
  return { width, height }
}

function hevcSize(config: Buffer): { width: number; height: number } {
  const sps = parseHevcConfig(config).units.find((unit) => (((unit[0] ?? 0) >> 1) & 0x3f) === hevcSpsType)
  if (sps === undefined) throw new WeirError('MEDIA_FORMAT', 'HEVC configuration without a parameter set')
  return parseHevcSize(sps)
}

/** What the header of an MP3 frame says; FLV has no place for most rates. */
function readMp3(frame: Buffer): { channels: number; sampleRate: number } {
  const parts = ratePartsByVersion[((frame[1] ?? 0) >> 3) & 0x03]
  const rate = mpegRates[((frame[2] ?? 0) >> 2) & 0x03]
  if (!parts || rate === undefined) throw new WeirError('MEDIA_FORMAT', 'MP3 frame without a sampling rate')
  return { channels: (frame[3] ?? 0) >> 6 === monoMode ? 1 : 2, sampleRate: rate / parts }
}
