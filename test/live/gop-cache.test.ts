import { describe, expect, test } from 'vitest'
import { GopCache } from '../../src/live/gop-cache.ts'
import type { Packet } from '../../src/media/packet.ts'
import { cuePoint, interFrame, keyFrame, marks, sound, videoHeader } from '../support/packets.ts'

function cacheOf(packets: readonly Packet[], limits = { maxDurationMs: 1000, maxBytes: 100 }): GopCache {
  const cache = new GopCache(limits)
  for (const packet of packets) cache.add(packet)
  return cache
}

describe('the cache', () => {
  test.each<[string, string[], Packet[]]>([
    [
      'begins at a key frame',
      ['80', '90', '120'],
      [interFrame(40), sound(50), keyFrame(80), sound(90), interFrame(120)],
    ],
    ['has the newest GOP only', ['80', '120'], [keyFrame(0), interFrame(40), keyFrame(80), interFrame(120)]],
    ['is not filled by a stream without video', [], [sound(0), sound(23), sound(46)]],
    [
      'has headers where they came',
      ['0', 'avc2', '40'],
      [keyFrame(0), videoHeader('avc2', 0), interFrame(40)],
    ],
    ['has no other data', ['0', '40'], [keyFrame(0), cuePoint(20), interFrame(40)]],
    ['keeps what is just within its duration', ['0', '1000'], [keyFrame(0), interFrame(1000)]],
    ['is given up beyond its duration', [], [keyFrame(0), interFrame(1001)]],
    ['is given up when only sound goes on', [], [keyFrame(0), sound(600), sound(1200)]],
    [
      'stays given up until the next key frame',
      ['1080'],
      [keyFrame(0), interFrame(1001), interFrame(1040), keyFrame(1080)],
    ],
    ['counts time across the end of 32 bits', [], [keyFrame(2 ** 32 - 500), interFrame(501)]],
    ['counts time across the end of 31 bits', ['a', 'b'], [keyFrame(2 ** 31 - 500, 'a'), interFrame(0, 'b')]],
  ])('%s', (_, content, packets) => {
    expect(marks(cacheOf(packets).packets)).toStrictEqual(content)
  })

  test('counts its bytes, and is given up beyond its limit', () => {
    const cache = cacheOf([keyFrame(0, Buffer.alloc(40)), sound(10, Buffer.alloc(60))])
    expect(cache.bytes).toBe(100)
    expect(cache.packets.length).toBe(2)
    cache.add(sound(20, Buffer.alloc(1)))
    expect(cache.bytes).toBe(0)
    expect(cache.packets).toStrictEqual([])
  })

  test('does not take a key frame that is too large alone', () => {
    expect(cacheOf([keyFrame(0, Buffer.alloc(101))]).packets).toStrictEqual([])
  })

  test('takes other limits from the next packet on', () => {
    const cache = cacheOf([keyFrame(0, Buffer.alloc(100))])
    cache.limits = { maxDurationMs: 1000, maxBytes: 50 }
    cache.add(interFrame(40))
    expect(cache.packets).toStrictEqual([])
  })

  test('can be cleared', () => {
    const cache = cacheOf([keyFrame(0), interFrame(40)])
    cache.clear()
    expect(cache).toMatchObject({ packets: [], bytes: 0 })
  })
})
