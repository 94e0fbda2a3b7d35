import { WeirError } from '../base/errors.ts'
import { aacProfileName, parseAacConfig } from './aac.ts'
import { avcLevelName, avcProfileName, parseAvcConfig } from './avc.ts'
import { parseSps } from './avc-sps.ts'

import { hasEnhancedHeader } from './enhanced.ts'
import { audioType, codecName, decoderConfig, videoType } from './packet.ts'

/** What a stream's video is, for logs and the API. What the body does not say is null. */
export interface VideoDescription {
  readonly codec: string
  readonly profile: string | null
  readonly level: string | null
  /** Pixels. */
  readonly width: number | null
  readonly height: number | null
}

/** What a stream's audio is, for logs and the API. What the body does not say is null. */
export interface AudioDescription {
  readonly codec: string
  /** Samples per second that come out of a decoder. */
  readonly sampleRate: number | null
  readonly channels: number | null
  readonly profile: string | null
}

/**
 * Describes the video of a stream by its sequence header; of any other body only the codec is known.
 * @returns null if the body does not say its codec
 */
export function describeVideo(body: Buffer): VideoDescription | null {
  const codec = codecName(videoType, body)
  if (codec === null) return null
  const config = codec === 'H264' ? decoderConfig(videoType, body) : null
  const details = config && orNullIfMalformed(() => describeAvc(config))
  return { codec, ...(details ?? { profile: null, level: null, width: null, height: null }) }
}

/**
 * Describes the audio of a stream by its sequence header or, for a codec without one, by any body.
 * @returns null if the body does not say its codec
 */
export function describeAudio(body: Buffer): AudioDescription | null {
  const codec = codecName(audioType, body)
  if (codec === null) return null
  return { codec, ...(describeSound(codec, body) ?? { sampleRate: null, channels: null, profile: null }) }
}

function describeSound(codec: string, body: Buffer): Omit<AudioDescription, 'codec'> | null {
  if (codec === 'AAC') {
    const config = decoderConfig(audioType, body)
    return config && orNullIfMalformed(() => describeAac(config))
  }
  const first = body.readUInt8(0)
  return hasEnhancedHeader('audio', first) ? null : describeByHeader(first)
}

function describeAvc(bytes: Buffer): Omit<VideoDescription, 'codec'> {
  const config = parseAvcConfig(bytes)
  const [sps] = config.sps
  const size = sps ? parseSps(sps) : null
  return {
    profile: avcProfileName(config.profile, config.constraints),
    level: avcLevelName(config.profile, config.constraints, config.level),
    width: size?.width ?? null,
    height: size?.height ?? null,
  }
}

function describeAac(bytes: Buffer): Omit<AudioDescription, 'codec'> {
  const config = parseAacConfig(bytes)
  return {
    sampleRate: config.outputSampleRate,
    channels: config.ps ? 2 * config.channels : config.channels,
    profile: aacProfileName(config),
  }
}

/** Formats whose rate is not the one in the header's bits, and which are mono (FLV E.4.2.1). */
const fixedRates = new Map([
  [4, 16000],
  [5, 8000],
  [7, 8000],
  [8, 8000],
  [11, 16000],
])
const mp3At8kHz = 14
const headerRates = [5512, 11025, 22050, 44100]

/** Reads the rate and channel bits of a header that is not enhanced. Those of AAC are constants without meaning. */
function describeByHeader(first: number): Omit<AudioDescription, 'codec'> {
  const format = first >> 4
  const fixedRate = fixedRates.get(format)
  if (fixedRate !== undefined) return { sampleRate: fixedRate, channels: 1, profile: null }
  const sampleRate = format === mp3At8kHz ? 8000 : (headerRates[(first >> 2) & 0x03] ?? null)
  return { sampleRate, channels: (first & 1) + 1, profile: null }
}

/** A description is made for people to read: what an encoder gets wrong is left out of it. */
function orNullIfMalformed<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (error instanceof WeirError && error.code === 'MEDIA_FORMAT') return null
    throw error
  }
}
