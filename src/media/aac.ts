import { WeirError } from '../base/errors.ts'
import { BitReader } from './bit-reader.ts'

/** AAC in FLV and MP4: the decoder configuration. Source: ISO/IEC 14496-3, 1.6.2.1 and 4.4.1. */

/** An AudioSpecificConfig, the payload of an AAC sequence header. */
export interface AacConfig {
  /** Audio object type of the core, without SBR and PS: 2 is LC. */
  readonly objectType: number
  /** Index of {@link sampleRate} in the table of rates, as ADTS has it; null if the rate is written out. */
  readonly sampleRateIndex: number | null
  /** Samples per second of the core. */
  readonly sampleRate: number
  /** As ADTS has it: 0 if the channels are listed one by one. */
  readonly channelConfiguration: number
  /** Channels of the core. */
  readonly channels: number
  /** Spectral band replication (HE-AAC): a decoder puts out {@link outputSampleRate}. */
  readonly sbr: boolean
  /** Parametric stereo (HE-AAC v2): a decoder makes two channels of one. */
  readonly ps: boolean
  /** Samples per second that come out of a decoder. */
  readonly outputSampleRate: number
}

/** Sampling frequencies by index (1.6.3.4); 13 and 14 are reserved. */
const sampleRates = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350]
const writtenOutRate = 15

/** Channels by configuration (1.6.3.5); null for reserved ones. */
const channelCounts = [0, 1, 2, 3, 4, 5, 6, 8, null, null, null, 7, 8, 24, 8, null]

const sbrType = 5
const psType = 29
const errorResilientBsacType = 22

/** Object types whose configuration is a GASpecificConfig (table 1.15). */
const generalAudioTypes = new Set([1, 2, 3, 4, 6, 7, 17, 19, 20, 21, 22, 23])
const scalableTypes = new Set([6, 20])
const errorResilientTypes = new Set([17, 19, 20, 23])

/** What announces SBR, and behind it PS, at the end of a configuration that older decoders understand. */
const sbrSync = 0x2b7
const psSync = 0x548

interface Rate {
  readonly index: number | null
  readonly hertz: number
}

/**
 * Reads a decoder configuration.
 * @throws MEDIA_FORMAT
 */
export function parseAacConfig(bytes: Uint8Array): AacConfig {
  const reader = new BitReader(bytes)
  let objectType = readObjectType(reader)
  const rate = readSampleRate(reader)
  const channelConfiguration = reader.bits(4)
  let sbr = objectType === sbrType || objectType === psType
  let ps = objectType === psType
  let output = rate
  if (sbr) {
    output = readSampleRate(reader)
    objectType = readObjectType(reader)
    if (objectType === errorResilientBsacType) reader.skip(4)
  }
  const listedChannels = generalAudioTypes.has(objectType)
    ? readGeneralAudio(reader, objectType, channelConfiguration)
    : null
  const channels = channelConfiguration === 0 ? listedChannels : channelCounts[channelConfiguration]
  if (!channels) throw new WeirError('MEDIA_FORMAT', `AAC channel configuration ${channelConfiguration}`)
  // 16 bits announce SBR, one more says whether it is there.
  if (!sbr && reader.left > 16 && reader.bits(11) === sbrSync && readObjectType(reader) === sbrType) {
    sbr = reader.flag()
    if (sbr) {
      output = readSampleRate(reader)
      ps = reader.left >= 12 && reader.bits(11) === psSync && reader.flag()
    }
  }
  return {
    objectType,
    sampleRateIndex: rate.index,
    sampleRate: rate.hertz,
    channelConfiguration,
    channels,
    sbr,
    ps,
    outputSampleRate: output.hertz,
  }
}

function readObjectType(reader: BitReader): number {
  const type = reader.bits(5)
  return type === 31 ? 32 + reader.bits(6) : type
}

function readSampleRate(reader: BitReader): Rate {
  const index = reader.bits(4)
  const hertz = index === writtenOutRate ? reader.bits(24) : sampleRates[index]
  if (!hertz) throw new WeirError('MEDIA_FORMAT', `AAC sampling frequency ${hertz ?? `index ${index}`}`)
  return { index: index === writtenOutRate ? null : index, hertz }
}

/**
 * Reads a GASpecificConfig (4.4.1).
 * @returns the channels that it lists if the configuration number does not say them, else null
 */
function readGeneralAudio(
  reader: BitReader,
  objectType: number,
  channelConfiguration: number,
): number | null {
  reader.skip(1)
  if (reader.flag()) reader.skip(14)
  const extended = reader.flag()
  const channels = channelConfiguration === 0 ? readListedChannels(reader) : null
  if (scalableTypes.has(objectType)) reader.skip(3)
  if (extended) {
    if (objectType === errorResilientBsacType) reader.skip(16)
    if (errorResilientTypes.has(objectType)) reader.skip(3)
    reader.skip(1)
  }
  return channels
}

/** Reads a program_config_element (4.4.1.1) and counts its channels. */
function readListedChannels(reader: BitReader): number {
  reader.skip(4 + 2 + 4)
  const mainElements = reader.bits(4) + reader.bits(4) + reader.bits(4)
  const lowFrequencyElements = reader.bits(2)
  const dataElements = reader.bits(3)
  const couplingElements = reader.bits(4)
  // Mono and stereo mix-down element numbers, matrix mix-down index.
  if (reader.flag()) reader.skip(4)
  if (reader.flag()) reader.skip(4)
  if (reader.flag()) reader.skip(3)
  let channels = lowFrequencyElements
  for (let index = 0; index < mainElements; index += 1) {
    channels += reader.flag() ? 2 : 1
    reader.skip(4)
  }
  reader.skip(4 * lowFrequencyElements + 4 * dataElements + 5 * couplingElements)
  reader.alignToByte()
  reader.skip(8 * reader.bits(8))
  return channels
}

/** The name of a profile as the API has it, e.g. `LC`; the number of the object type if it has no name here. */
export function aacProfileName(config: AacConfig): string {
  if (config.ps) return 'HEv2'
  if (config.sbr) return 'HE'
  return profileNames.get(config.objectType) ?? String(config.objectType)
}

const profileNames = new Map([
  [1, 'Main'],
  [2, 'LC'],
  [3, 'SSR'],
  [4, 'LTP'],
  [23, 'LD'],
  [39, 'ELD'],
  [42, 'USAC'],
])
