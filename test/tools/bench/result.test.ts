import { describe, expect, test } from 'vitest'
import { Histogram } from '../../../src/tools/bench/histogram.ts'
import type { Plan, PlayFigures, ThreadReport } from '../../../src/tools/bench/plan.ts'
import { isFaultless, type PlayResult, resultOf } from '../../../src/tools/bench/result.ts'

const play: Plan = { kind: 'play', clients: 4, url: '', rampPerSecond: 1, threads: 2, streams: null }
const publish: Plan = { ...play, kind: 'publish', clip: '', stamp: false, loop: true }

function dataOf(...values: readonly number[]) {
  const histogram = new Histogram()
  for (const ms of values) histogram.record(ms)
  return histogram.toData()
}

const clean: PlayFigures = {
  kind: 'play',
  firstPacket: dataOf(1),
  latency: dataOf(),
  gaps: 0,
  timestampErrors: 0,
  framingErrors: 0,
  responses: dataOf(),
  playlists: 0,
  segments: 0,
}

function reportOf(bytesOfEach: readonly number[], more: Partial<ThreadReport> = {}): ThreadReport {
  return {
    up: bytesOfEach.length,
    errors: new Map(),
    seconds: 10,
    bytes: bytesOfEach.reduce((sum, bytes) => sum + bytes, 0),
    bytesOfEach: Float64Array.from(bytesOfEach),
    figures: clean,
    ...more,
  }
}

describe('the result of players', () => {
  test('is that of all threads together', () => {
    const errors = [
      new Map([['ECONNREFUSED', 1]]),
      new Map([
        ['ECONNREFUSED', 2],
        ['NO_MEDIA', 1],
      ]),
    ]
    const figures = [
      {
        ...clean,
        firstPacket: dataOf(1, 2),
        latency: dataOf(5),
        gaps: 1,
        timestampErrors: 2,
        framingErrors: 3,
      },
      {
        ...clean,
        firstPacket: dataOf(8),
        latency: dataOf(7),
        gaps: 10,
        timestampErrors: 20,
        framingErrors: 30,
      },
    ] as const
    const reports = [
      reportOf([1_000_000, 1_000_000], { errors: errors[0]!, figures: figures[0] }),
      // One more client that had failed by the end had got 400,000 bytes.
      reportOf([900_000], { errors: errors[1]!, figures: figures[1], bytes: 1_300_000 }),
    ]
    expect(resultOf(play, reports, 1.23456)).toStrictEqual({
      clients: 4,
      up: 3,
      errors: { ECONNREFUSED: 3, NO_MEDIA: 1 },
      seconds: 10,
      bytes: 3_300_000,
      cpuSeconds: 1.235,
      mbps: 2.64,
      kbpsMin: 720,
      kbpsMean: 773.333,
      shortfall: 1,
      firstPacketMs: { p50: 2.015, p99: 8, max: 8 },
      latencyMs: { p50: 5.119, p99: 7, max: 7, count: 2 },
      requests: null,
      gaps: 11,
      timestampErrors: 22,
      framingErrors: 33,
    })
  })

  test('has the requests of HLS players', () => {
    const figures = { ...clean, responses: dataOf(1, 3), playlists: 1, segments: 1 }
    const reports = [reportOf([1], { figures }), reportOf([1], { figures })]
    expect(resultOf(play, reports, 0)).toMatchObject({
      requests: { playlists: 2, segments: 2, responseMs: { max: 3 } },
    })
  })

  test('has no latency without stamps', () => {
    expect(resultOf(play, [reportOf([1])], 0)).toMatchObject({ latencyMs: null })
  })

  test('is 0 and not infinite if nothing was measured', () => {
    const result = resultOf(play, [reportOf([], { seconds: 0 })], 0)
    expect(result).toMatchObject({ mbps: 0, kbpsMin: 0, kbpsMean: 0, shortfall: 0 })
  })
})

test('the result of publishers', () => {
  const report = reportOf([500, 700], { figures: { kind: 'publish', packets: 20, late: 1 } })
  expect(resultOf(publish, [report, report], 0.5)).toStrictEqual({
    clients: 4,
    up: 4,
    errors: {},
    seconds: 10,
    bytes: 2400,
    cpuSeconds: 0.5,
    packets: 40,
    late: 2,
  })
})

describe('isFaultless', () => {
  const good = resultOf(play, [reportOf([1, 1, 1, 1])], 0) as PlayResult

  test.each<[string, boolean, Partial<PlayResult>]>([
    ['nothing wrong', true, {}],
    ['a client that is not up', false, { up: 3 }],
    ['an error', false, { errors: { NO_MEDIA: 1 } }],
    ['a gap', false, { gaps: 1 }],
    ['a time that goes back', false, { timestampErrors: 1 }],
    ['broken framing', false, { framingErrors: 1 }],
    ['clients that got less', true, { shortfall: 2 }],
  ])('%s: %s', (_, expected, change) => {
    expect(isFaultless({ ...good, ...change })).toBe(expected)
  })

  test('counts packets that were late as no fault', () => {
    const report = reportOf([1, 1, 1, 1], { figures: { kind: 'publish', packets: 20, late: 1 } })
    expect(isFaultless(resultOf(publish, [report], 0))).toBe(true)
  })
})
