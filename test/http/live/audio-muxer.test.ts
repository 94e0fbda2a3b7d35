import { describe, expect, test } from 'vitest'
import { AudioMuxer } from '../../../src/http/live/audio-muxer.ts'
import type { Packet } from '../../../src/media/packet.ts'
import { audioHeader, keyFrame, metadata, sound, videoHeader } from '../../support/packets.ts'

/** AAC-LC at 44.1 kHz in stereo (ISO/IEC 14496-3, 1.6.2.1). */
const lc44 = audioHeader(Buffer.of(0xaf, 0, 0x12, 0x10))
const aacFrame = (...payload: number[]): Packet => sound(0, Buffer.of(0xaf, 1, ...payload))
const mp3Frame = (...payload: number[]): Packet => sound(0, Buffer.of(0x2f, ...payload))

function written(muxer: AudioMuxer, packets: readonly Packet[]): string {
  const target = Buffer.alloc(packets.reduce((sum, { body }) => sum + muxer.sizeOf(body.length), 0))
  let end = 0
  for (const packet of packets) end = muxer.write(target, end, packet)
  return target.toString('hex', 0, end)
}

describe('AAC', () => {
  test('frames get an ADTS header each (ISO/IEC 14496-3, 1.A.2.2)', () => {
    // ff f1: no checksum; 50 80: LC, index 4, 2 channels; then the length in 13 bits, fullness 0x7ff, one block.
    const stream = [metadata('meta'), videoHeader('avc'), lc44, keyFrame(0), aacFrame(1, 2, 3), aacFrame(4)]
    expect(written(new AudioMuxer('AAC'), stream)).toBe('fff15080015ffc010203fff15080011ffc04')
  })

  test('frames before the header, or of another codec, are left out', () => {
    expect(written(new AudioMuxer('AAC'), [aacFrame(1), mp3Frame(0xff, 0xfb, 1)])).toBe('')
    expect(written(new AudioMuxer('AAC'), [lc44, mp3Frame(0xff, 0xfb, 1)])).toBe('')
  })

  test('of a configuration that is broken or has no ADTS form is left out', () => {
    const broken = audioHeader(Buffer.of(0xaf, 0, 0xff))
    expect(written(new AudioMuxer('AAC'), [broken, aacFrame(1)])).toBe('')
  })

  test('frames too long for ADTS, and empty ones, are left out', () => {
    const long = sound(0, Buffer.concat([Buffer.of(0xaf, 1), Buffer.alloc(8185)]))
    expect(written(new AudioMuxer('AAC'), [lc44, long, aacFrame()])).toBe('')
  })

  test('of the next publisher begins with its own header', () => {
    const muxer = new AudioMuxer('AAC')
    written(muxer, [lc44])
    muxer.restart()
    expect(written(muxer, [aacFrame(1)])).toBe('')
  })
})

describe('MP3', () => {
  test('frames go as they are', () => {
    const stream = [metadata('meta'), keyFrame(0), mp3Frame(0xff, 0xfb, 1), mp3Frame(0xff, 0xfb, 2)]
    expect(written(new AudioMuxer('MP3'), stream)).toBe('fffb01fffb02')
  })

  test('takes no AAC', () => {
    expect(written(new AudioMuxer('MP3'), [lc44, aacFrame(1)])).toBe('')
  })
})
