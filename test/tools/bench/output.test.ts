import { describe, expect, test } from 'vitest'
import { jsonOutput, textOutput } from '../../../src/tools/bench/output.ts'
import type { PlayResult, PublishResult } from '../../../src/tools/bench/result.ts'
import type { Output } from '../../../src/tools/bench/run.ts'

const played: PlayResult = {
  clients: 4,
  up: 3,
  errors: { ECONNREFUSED: 1 },
  seconds: 10,
  bytes: 2_500_000,
  cpuSeconds: 0.5,
  mbps: 2,
  kbpsMin: 500,
  kbpsMean: 666.667,
  shortfall: 1,
  firstPacketMs: { p50: 2, p99: 8, max: 9 },
  latencyMs: { p50: 5, p99: 7, max: 7.25, count: 2 },
  requests: null,
  gaps: 1,
  timestampErrors: 2,
  framingErrors: 3,
}

const published: PublishResult = {
  clients: 2,
  up: 2,
  errors: {},
  seconds: 4,
  bytes: 1_000_000,
  cpuSeconds: 0.1,
  packets: 200,
  late: 1,
}

/** What an output writes of a short run. */
function show(make: (write: (text: string) => void) => Output, result: PlayResult | PublishResult): string {
  let text = ''
  const output = make((more) => {
    text += more
  })
  output.up(3, 1)
  output.start()
  output.progress({ clients: 3, errors: 1, mbps: 2.5 })
  output.result(result)
  return text
}

test('JSON: an object per line', () => {
  const lines = show(jsonOutput, published).trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line))).toStrictEqual([
    { event: 'up', clients: 3, errors: 1 },
    { event: 'start' },
    { event: 'progress', clients: 3, mbps: 2.5 },
    { event: 'result', ...published },
  ])
})

describe('text', () => {
  test('of players', () => {
    expect(show((write) => textOutput(write, false), played)).toBe(`3 clients are up, 1 failed
clients up          3 of 4
errors              1 ECONNREFUSED
measured            10.0 s
received            2.0 Mbit/s
each                667 kbit/s (least 500; 1 below 95 %)
first packet        p50 2.0 ms, p99 8.0 ms, max 9.0 ms
latency             p50 5.0 ms, p99 7.0 ms, max 7.3 ms
gaps                1
times that go back  2
broken framing      3
CPU of this tool    0.50 s (5 % of a core)
`)
  })

  test('of HLS players, with their requests', () => {
    const requests = { playlists: 5, segments: 4, responseMs: { p50: 1, p99: 2, max: 3 } }
    expect(show((write) => textOutput(write, false), { ...played, requests })).toContain(
      `
requests            5 playlists, 4 segments
answered in         p50 1.0 ms, p99 2.0 ms, max 3.0 ms
gaps                1
`,
    )
  })

  test('of publishers', () => {
    expect(show((write) => textOutput(write, false), published)).toBe(`3 clients are up, 1 failed
clients up        2 of 2
errors            none
measured          4.0 s
sent              2.0 Mbit/s
packets           200, 1 of them more than 20 ms late
CPU of this tool  0.10 s (3 % of a core)
`)
  })

  test('says that there are no stamps, and no share of no time', () => {
    const text = show((write) => textOutput(write, false), { ...played, latencyMs: null, seconds: 0 })
    expect(text).toContain('latency             the stream has no stamps\n')
    expect(text).toContain('CPU of this tool    0.50 s\n')
  })

  test('writes its progress over itself on a terminal', () => {
    const text = show((write) => textOutput(write, true), published)
    expect(text).toContain('\r\x1b[K3 clients up, 2.5 Mbit/s, 1 errors\r\x1b[Kclients up        2 of 2\n')
  })
})
