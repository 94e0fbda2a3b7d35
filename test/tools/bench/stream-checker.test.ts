import { describe, expect, test } from 'vitest'
import { withStamp, writeStamp } from '../../../src/tools/bench/stamp.ts'
import { PlayStatistics, StreamChecker } from '../../../src/tools/bench/stream-checker.ts'
import { hex } from '../../rtmp/bytes.ts'

const videoHeader = hex('17 00 000000 01')
const audioHeader = hex('af 00 1210')
const keyFrame = hex('17 01 000000 00000001 65')
const interFrame = hex('27 01 000000 00000001 41')
const sound = hex('af 01 21')
const audio = 8
const video = 9
const data = 18

type Step = readonly [type: number, timestamp: number, body: Buffer, nowMs?: number]

/** What a player that connected at time 1000 counts. */
function play(...steps: readonly Step[]): { statistics: PlayStatistics; started: boolean } {
  const statistics = new PlayStatistics()
  const checker = new StreamChecker(statistics, 1000)
  for (const [type, timestamp, body, nowMs = 2000] of steps) {
    const bytes = Buffer.concat([hex('eeee'), body, hex('eeee')])
    checker.onMedia(type, timestamp, bytes, 2, 2 + body.length, nowMs)
  }
  return { statistics, started: checker.finish() }
}

function stamped(sequence: number, sentMs: number): Buffer {
  const body = withStamp(interFrame)
  writeStamp(body, sequence, sentMs)
  return body
}

describe('times', () => {
  test.each<[string, number, readonly Step[]]>([
    [
      'that rise',
      0,
      [
        [video, 0, keyFrame],
        [video, 40, interFrame],
        [video, 80, interFrame],
      ],
    ],
    [
      'that stay',
      0,
      [
        [video, 40, keyFrame],
        [video, 40, interFrame],
      ],
    ],
    [
      'that go back',
      1,
      [
        [video, 40, keyFrame],
        [video, 39, interFrame],
        [video, 80, interFrame],
      ],
    ],
    [
      'that go back in audio',
      1,
      [
        [audio, 40, sound],
        [audio, 17, sound],
      ],
    ],
    [
      'of audio behind video',
      0,
      [
        [video, 40, keyFrame],
        [audio, 17, sound],
        [video, 80, interFrame],
      ],
    ],
    [
      'of sequence headers',
      0,
      [
        [video, 40, keyFrame],
        [video, 0, videoHeader],
        [audio, 20, sound],
        [audio, 0, audioHeader],
      ],
    ],
    [
      'of data',
      0,
      [
        [data, 40, hex('02')],
        [data, 0, hex('02')],
      ],
    ],
    [
      'that wrap',
      0,
      [
        [video, 0xffffffff, keyFrame],
        [video, 39, interFrame],
      ],
    ],
    [
      'beyond 31 bits',
      0,
      [
        [video, 0x7fffffff, keyFrame],
        [video, 0x80000000, interFrame],
      ],
    ],
  ])('%s: %i errors', (_, errors, steps) => {
    expect(play(...steps).statistics.timestampErrors).toBe(errors)
  })
})

describe('the first packet', () => {
  test.each<[string, number | null, readonly Step[]]>([
    [
      'is the first key frame',
      60,
      [
        [video, 0, videoHeader, 1010],
        [audio, 0, sound, 1020],
        [video, 0, interFrame, 1030],
        [video, 40, keyFrame, 1060],
        [video, 80, keyFrame, 1100],
      ],
    ],
    [
      'is a sound if there is no video',
      20,
      [
        [audio, 0, audioHeader, 1010],
        [audio, 0, sound, 1020],
        [audio, 23, sound, 1043],
      ],
    ],
    [
      'has not come while video has no key frame',
      null,
      [
        [audio, 0, sound, 1020],
        [video, 0, interFrame, 1030],
      ],
    ],
    [
      'has not come with headers alone',
      null,
      [
        [data, 0, hex('02'), 1001],
        [video, 0, videoHeader, 1010],
        [audio, 0, audioHeader, 1010],
      ],
    ],
    [
      'is not an empty body',
      null,
      [
        [video, 0, Buffer.alloc(0), 1010],
        [audio, 0, Buffer.alloc(0), 1010],
      ],
    ],
  ])('%s', (_, ms, steps) => {
    const { statistics, started } = play(...steps)
    expect(started).toBe(ms !== null)
    expect(statistics.firstPacket.count).toBe(ms === null ? 0 : 1)
    expect(statistics.firstPacket.maxMs).toBe(ms ?? 0)
  })
})

describe('stamps', () => {
  test.each<[string, number, readonly number[]]>([
    ['that go on', 0, [5, 6, 7]],
    ['of which one is missing', 1, [5, 7, 8]],
    ['of which many are missing', 1, [5, 100, 101]],
    ['of which one comes twice', 1, [5, 5, 6]],
    ['that wrap', 0, [0xffffffff, 0, 1]],
  ])('%s: %i gaps', (_, gaps, sequences) => {
    const steps = sequences.map((sequence): Step => [video, 0, stamped(sequence, 0)])
    expect(play(...steps).statistics.gaps).toBe(gaps)
  })

  test('tell the latency of each picture', () => {
    const { latency } = play(
      [video, 0, stamped(0, 1500.5), 1510.5],
      [audio, 0, sound, 1511],
      [video, 40, stamped(1, 1540), 1542],
    ).statistics
    expect(latency.count).toBe(2)
    expect(latency.maxMs).toBe(10)
    expect(latency.percentile(0.5)).toBeCloseTo(2, 1)
  })
})
