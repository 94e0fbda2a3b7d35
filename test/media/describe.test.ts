import { describe, expect, test } from 'vitest'
import { describeAudio, describeVideo } from '../../src/media/describe.ts'
import { avcSamples } from './avc-samples.ts'
import { hex } from './bytes.ts'

const nothingMore = { profile: null, level: null, width: null, height: null }

describe('describeVideo', () => {
  test.each(avcSamples)('of $name', ({ config, profile, level, width, height }) => {
    const expected = { codec: 'H264', profile, level, width, height }
    expect(describeVideo(hex(`17 00 000000 ${config}`))).toEqual(expected)
    expect(describeVideo(hex(`90 61766331 ${config}`))).toEqual(expected)
  })

  test.each([
    [
      'a sequence header without parameter sets',
      '17 00 000000 0164001f ff e0 00',
      { profile: 'High', level: '3.1' },
    ],
    ['a broken sequence header', '17 00 000000 0164', {}],
    ['a broken parameter set', '17 00 000000 0164001f ff e1 0002 67ff 00', {}],
    ['a frame', '17 01 000000 00', {}],
  ])('of %s of H.264', (_name, body, known) => {
    expect(describeVideo(hex(body))).toEqual({ codec: 'H264', ...nothingMore, ...known })
  })

  test('of a codec of which only the name is known', () => {
    expect(describeVideo(hex('90 68766331 01'))).toEqual({ codec: 'HEVC', ...nothingMore })
    expect(describeVideo(hex('12'))).toEqual({ codec: 'H263', ...nothingMore })
  })

  test('is null for a body that does not say its codec', () => {
    expect(describeVideo(hex(''))).toBeNull()
    expect(describeVideo(hex('90 6876'))).toBeNull()
  })
})

describe('describeAudio', () => {
  test.each([
    ['AAC', 'af 00 1210', { codec: 'AAC', sampleRate: 44100, channels: 2, profile: 'LC' }],
    ['enhanced AAC', '90 6d703461 1188', { codec: 'AAC', sampleRate: 48000, channels: 1, profile: 'LC' }],
    [
      'HE-AAC v2, as it sounds',
      'af 00 eb8a0800',
      { codec: 'AAC', sampleRate: 44100, channels: 2, profile: 'HEv2' },
    ],
    ['an AAC frame', 'af 01 21', { codec: 'AAC', sampleRate: null, channels: null, profile: null }],
    [
      'a broken AAC configuration',
      'af 00 12',
      { codec: 'AAC', sampleRate: null, channels: null, profile: null },
    ],
    ['MP3', '2f', { codec: 'MP3', sampleRate: 44100, channels: 2, profile: null }],
    ['MP3, mono', '2a', { codec: 'MP3', sampleRate: 22050, channels: 1, profile: null }],
    ['MP3 at 8 kHz', 'ef', { codec: 'MP3-8k', sampleRate: 8000, channels: 2, profile: null }],
    ['Speex, whatever the bits say', 'bf', { codec: 'Speex', sampleRate: 16000, channels: 1, profile: null }],
    ['G.711', '72', { codec: 'G711A', sampleRate: 8000, channels: 1, profile: null }],
    ['Nellymoser', '62', { codec: 'Nellymoser', sampleRate: 5512, channels: 1, profile: null }],
    ['enhanced MP3', '91 2e6d7033', { codec: 'MP3', sampleRate: null, channels: null, profile: null }],
  ])('of %s', (_name, body, expected) => {
    expect(describeAudio(hex(body))).toEqual(expected)
  })

  test('is null for a body that does not say its codec', () => {
    expect(describeAudio(hex(''))).toBeNull()
    expect(describeAudio(hex('90 4f'))).toBeNull()
  })
})
