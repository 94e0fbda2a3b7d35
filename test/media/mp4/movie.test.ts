import { describe, expect, test } from 'vitest'
import { type Mp4Movie, movieHead } from '../../../src/media/mp4/movie.ts'
import { hex } from '../bytes.ts'
import { avcConfig } from '../ts/packets.ts'
import { find, readBoxes } from './boxes.ts'

const movie: Mp4Movie = {
  video: { codec: 'H264', config: avcConfig, width: 320, height: 180 },
  audio: { codec: 'AAC', config: hex('1210'), channels: 2, sampleRate: 44_100 },
  fragments: [
    { bytes: 1000, durationMs: 6000 },
    { bytes: 500, durationMs: 4000 },
  ],
}

describe('the head of a movie', () => {
  test('names its tracks', () => {
    const bytes = movieHead(movie)
    expect(readBoxes(bytes).map(({ type }) => type)).toEqual(['ftyp', 'moov', 'sidx'])
    const tracks = readBoxes(find(bytes, 'moov').content)
      .filter(({ type }) => type === 'trak')
      .map(({ content }) => content)
    const entries = tracks.map(
      (track) => readBoxes(find(track, 'mdia', 'minf', 'stbl', 'stsd').content.subarray(8))[0]!,
    )
    expect(entries.map(({ type }) => type)).toEqual(['avc1', 'mp4a'])
    expect(entries[0]!.content.subarray(78)).toEqual(
      Buffer.concat([hex('0000001e'), Buffer.from('avcC'), avcConfig]),
    )
    expect(find(entries[1]!.content.subarray(28), 'esds').content.subarray(-13)).toEqual(
      // The AudioSpecificConfig in its descriptor; the sync layer's.
      hex('05808080021210 068080800102'),
    )
  })

  test('says how long it is, and where its fragments are', () => {
    const bytes = movieHead(movie)
    expect(find(bytes, 'moov', 'mvex', 'mehd').content).toEqual(hex('00000000 00002710'))
    expect(find(bytes, 'sidx').content.subarray(20)).toEqual(
      hex('0000 0002 000003e8 00001770 90000000 000001f4 00000fa0 90000000'),
    )
  })

  test('of one track has that alone; MP3 needs no configuration', () => {
    const sound: Mp4Movie = {
      video: null,
      audio: { codec: 'MP3', config: hex(''), channels: 1, sampleRate: 48_000 },
      fragments: [],
    }
    const moov = find(movieHead(sound), 'moov').content
    expect(readBoxes(moov).map(({ type }) => type)).toEqual(['mvhd', 'trak', 'mvex'])
    const entry = find(find(moov, 'trak', 'mdia', 'minf', 'stbl', 'stsd').content.subarray(8), 'mp4a').content
    expect(entry.readUInt16BE(16)).toBe(1)
    expect(entry.readUInt32BE(24)).toBe(48_000 * 2 ** 16)
    expect(find(entry.subarray(28), 'esds').content.includes(hex('048080800d6b15'))).toBe(true)
  })

  test('of more fragments than an index can list has none', () => {
    const fragments = Array.from({ length: 65_536 }, () => ({ bytes: 1, durationMs: 1 }))
    expect(readBoxes(movieHead({ ...movie, fragments })).map(({ type }) => type)).toEqual(['ftyp', 'moov'])
  })
})
