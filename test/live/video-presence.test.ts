import { describe, expect, test } from 'vitest'
import { VideoPresence } from '../../src/live/video-presence.ts'
import type { Packet } from '../../src/media/packet.ts'
import { audioHeader, interFrame, keyFrame, metadata, sound, videoHeader } from '../support/packets.ts'

function after(...packets: Packet[]): boolean {
  const video = new VideoPresence()
  for (const packet of packets) video.note(packet, packet.timestamp, 1000)
  return video.present
}

describe('a stream has video', () => {
  test.each<[string, boolean, Packet[]]>([
    ['not before anything came', false, []],
    ['not with sound alone', false, [audioHeader('aac'), sound(0), metadata('meta'), sound(5000)]],
    ['from its sequence header on', true, [videoHeader('avc')]],
    ['with an inter frame', true, [interFrame(0)]],
    ['with a key frame', true, [keyFrame(0)]],
    ['while sound alone goes on for a moment', true, [keyFrame(0), sound(0), sound(1000)]],
    ['but not when sound alone goes on for longer', false, [keyFrame(0), sound(0), sound(1001)]],
    ['when it comes back', true, [keyFrame(0), sound(0), sound(1001), interFrame(1002)]],
    [
      'when its frames are rare but come',
      true,
      [keyFrame(0), sound(0), sound(900), interFrame(901), sound(1001)],
    ],
    ['when the first sound comes late', true, [videoHeader('avc'), sound(50_000), sound(50_900)]],
    ['not counting headers of the sound', true, [keyFrame(0), audioHeader('aac', 5000), metadata('m', 9000)]],
    ['across the end of 32 bits', true, [keyFrame(2 ** 32 - 40), sound(2 ** 32 - 20), sound(20)]],
  ])('%s', (_, present, packets) => {
    expect(after(...packets)).toBe(present)
  })

  test('no more when it is cleared', () => {
    const video = new VideoPresence()
    video.note(keyFrame(0), 0, 1000)
    video.clear()
    expect(video.present).toBe(false)
  })
})
