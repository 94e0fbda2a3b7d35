import { expect, test } from 'vitest'
import type { StreamStatus, WorkerStatus } from '../../src/ipc/contract.ts'
import type { ServerStatus } from '../../src/master/control-contract.ts'
import { formatStatus } from '../../src/master/status-text.ts'

const stream: StreamStatus = {
  stream: '__defaultVhost__/live/livestream',
  source: 1,
  sourceId: 'abc',
  publishing: true,
  players: 0,
  video: 'H264',
  audio: 'AAC',
  bytesIn: 12_345_678,
  bytesOut: 0,
  packetsIn: 0,
  packetsDropped: 0,
}

const worker: WorkerStatus = {
  role: 'stream',
  index: 1,
  pid: 11,
  uptimeMs: 3_725_000,
  rssBytes: 64_400_000,
  cpuMs: 12_340,
  cpuShare: 0.25,
  eventLoopDelayMs: 3,
  eventLoopUtilization: 0.256,
  connections: 7,
  streams: [],
}

const server: ServerStatus = {
  version: '1.2.3',
  serverId: 'abc',
  pid: 10,
  ppid: 1,
  argv: 'weir -c weir.conf',
  cwd: '/',
  uptimeMs: 125_000,
  configFile: '/etc/weir.conf',
  connections: 7,
  maxConnections: 1000,
  admittedConnections: 9,
  failedConnections: 0,
  refusedConnections: 2,
  sources: 0,
  workers: [worker],
  silent: [],
}

test('shows the server and its processes', () => {
  expect(formatStatus(server)).toBe(
    [
      'weir 1.2.3  pid 10  up 2m5s  /etc/weir.conf',
      'connections 7 of 1000 (2 refused)  streams 0',
      '',
      'PROCESS   PID  UP    RSS    CPU     BUSY  CONNECTIONS',
      'stream 1  11   1h2m  64 MB  12.3 s  26 %  7',
      '',
    ].join('\n'),
  )
})

test('shows processes that start, and those that do not answer', () => {
  const silent: ServerStatus['silent'] = [
    { role: 'stream', index: 2, pid: 12, state: 'no answer' },
    { role: 'back-source', index: 3, pid: 13, state: 'starting' },
  ]
  expect(
    formatStatus({ ...server, silent })
      .split('\n')
      .slice(3, -1),
  ).toStrictEqual([
    'PROCESS        PID  UP         RSS    CPU     BUSY  CONNECTIONS',
    'stream 1       11   1h2m       64 MB  12.3 s  26 %  7',
    'stream 2       12   no answer  -      -       -     -',
    'back-source 3  13   starting   -      -       -     -',
  ])
})

test('shows each stream once, with the players of all workers', () => {
  const workers: WorkerStatus[] = [
    { ...worker, streams: [{ ...stream, players: 2 }] },
    {
      ...worker,
      index: 2,
      streams: [
        { ...stream, players: 3 },
        { ...stream, publishing: true },
      ],
    },
    { ...worker, role: 'back-source', index: 3, pid: 12, streams: [{ ...stream, players: 2 }] },
    {
      ...worker,
      role: 'back-source',
      index: 4,
      pid: 13,
      streams: [{ ...stream, stream: 'a.example/x/y', publishing: false, video: null, audio: null }],
    },
  ]
  const lines = formatStatus({ ...server, workers }).split('\n')
  expect(lines.slice(lines.findIndex((line) => line.startsWith('STREAM')))).toStrictEqual([
    'STREAM           BACK-SOURCE  STATE    VIDEO  AUDIO  PLAYERS  IN',
    'live/livestream  12           live     H264   AAC    5        12.3 MB',
    'a.example/x/y    13           waiting  -      -      0        12.3 MB',
    '',
  ])
})

test.each([
  [999, '0s'],
  [59_999, '59s'],
  [60_000, '1m0s'],
  [3_599_999, '59m59s'],
  [3_600_000, '1h0m'],
  [360_000_000, '100h0m'],
])('%d ms are %s', (uptimeMs, shown) => {
  expect(formatStatus({ ...server, uptimeMs })).toContain(`up ${shown} `)
})
