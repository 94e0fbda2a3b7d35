import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { createApi } from '../../../src/http/api/api-app.ts'
import type { ApiHost } from '../../../src/http/api/api-host.ts'
import { Inspector } from '../../../src/http/inspector.ts'
import { MachineMeter } from '../../../src/http/machine/machine-meter.ts'
import { encodeAnswer } from '../../../src/ipc/answer-codec.ts'
import type { ClusterStatus } from '../../../src/ipc/cluster-facts.ts'
import type {
  Answer,
  ClientInfo,
  EncodedAnswer,
  Question,
  ReloadOutcome,
  ServerFacts,
  StreamInfo,
  VhostTraffic,
  WorkerAnswer,
  WorkerStatus,
} from '../../../src/ipc/contract.ts'
import type { HookCount } from '../../../src/ipc/hook-facts.ts'
import type { ProgramFacts } from '../../../src/ipc/program-facts.ts'
import { streamTag } from '../../../src/live/stream-key.ts'
import { ClientListWriter } from '../../../src/worker/client-json.ts'
import { configOf } from '../../support/config.ts'
import { recordingLogger } from '../../support/logger.ts'

const server: ServerFacts = {
  ...{
    version: '1.2.3',
    serverId: 'svc12345',
    pid: process.pid,
    ppid: 1,
    argv: 'weir -c weir.conf',
    cwd: '/',
  },
  ...{ uptimeMs: 61_500, configFile: '/weir.conf', connections: 3, maxConnections: 1000 },
  ...{ admittedConnections: 9, failedConnections: 3, refusedConnections: 2, sources: 1 },
}

export const streamName = '__defaultVhost__/live/one'

export const info: StreamInfo = {
  ...{ source: 1, stream: streamName, sourceId: 'pub00001', publishMs: 1234.5, frames: 25 },
  tcUrl: 'rtmp://192.0.2.9:1936/live?token=secret',
  ...{ recvBytes: 1000, recvKbps: 8 },
  video: { codec: 'H264', profile: 'Main', level: '3.1', width: 1280, height: 720 },
  audio: { codec: 'AAC', sampleRate: 44_100, channels: 2, profile: 'LC' },
  hls: { enabled: true, fragment: 4, sequence: -1, segments: 0, lost: 0 },
  dvr: {
    ...{ enabled: true, plan: 'session', recording: true, file: './html/live/one.flv' },
    ...{ bytes: 1500, durationMs: 2000, files: 3, errors: 1 },
  },
  forwards: [
    {
      ...{ destination: '192.0.2.3:1935', state: 'retrying', bytesOut: 700, packetsDropped: 3, retries: 2 },
      lastError: 'RTMP_CLOSED: 192.0.2.3:1935 closed the connection',
    },
  ],
  upstream: { address: 'rtmp://192.0.2.1:1935', connectionId: 'conn0009', serverId: 'srv00009', pid: '77' },
  push: {
    ...{ address: 'rtmp://192.0.2.1:1935', connectionId: 'conn0010', bytesOut: 900, packetsDropped: 1 },
    ...{ retries: 2, lastError: 'RTMP_CLOSED: 192.0.2.1:1935 closed the connection' },
  },
}

/** Nothing is known of its codecs, and nobody publishes it. */
const bare: StreamInfo = {
  ...{ source: 2, stream: 'tv.example.com/a/b/two', sourceId: '', publishMs: 0, frames: 0, recvBytes: 0 },
  tcUrl: '',
  ...{ recvKbps: 0, hls: null, dvr: null, forwards: [], upstream: null, push: null },
  video: { codec: 'AV1', profile: null, level: null, width: null, height: null },
  audio: null,
}

export const player: ClientInfo = {
  ...{ id: 'play0001', vhost: '__defaultVhost__', app: 'live', stream: 'one', ip: '10.0.0.9' },
  ...{ pageUrl: 'http://page/', swfUrl: '', tcUrl: 'rtmp://h/live', type: 'rtmp-play', protocol: 'rtmp' },
  ...{ publish: false, aliveSeconds: 12.3456, sendBytes: 500, recvBytes: 50, sendKbps: 4, recvKbps: 1 },
}

const traffic: VhostTraffic = {
  ...{ vhost: '__defaultVhost__', publishers: 1, players: { rtmp: 1, 'http-flv': 1 }, streams: 1 },
  ...{ sendBytes: 900, recvBytes: 1100, sendKbps: 7, recvKbps: 9 },
}

const hookCount: HookCount = {
  ...{ action: 'on_connect', answered: 5, refused: 1, failed: 2, retried: 3, dropped: 4, seconds: 0.25 },
}

const status: WorkerStatus = {
  ...{ role: 'stream', index: 1, pid: process.pid, uptimeMs: 5000, rssBytes: 50_000_000, cpuMs: 300 },
  ...{ cpuShare: 0.25, eventLoopUtilization: 0.3, eventLoopDelayMs: 4, connections: 2, streams: [] },
  hlsEdge: {
    files: 5,
    bytes: 7000,
    fetches: 6,
    answers: { hit: 90, miss: 5, stale: 1, absent: 2, failed: 3 },
  },
}

export const programs: ProgramFacts[] = [
  {
    ...{ kind: 'transcode', name: 'live sd', vhost: '__defaultVhost__', stream: streamName },
    ...{ state: 'running', pid: 4711, restarts: 2, lastError: 'exit status 1: no such codec', upMs: 1500 },
  },
]
/** Two nodes, one of which is dead. */
const cluster: ClusterStatus = {
  ...{ node: 'a', connected: true, held: 1, outages: 2, acceptedAlone: 3, lost: 4, total: 1 },
  nodes: ['a', 'b'].map((node) => ({
    ...{ node, rtmp: `rtmp://${node}:1935`, http: '', version: '0.1.0', serverId: 's', streams: 1 },
    ...{ uptimeSeconds: 5, ageMs: node === 'a' ? 500 : 7000, alive: node === 'a' },
  })),
  streams: [{ stream: streamName, node: 'a', rtmp: 'rtmp://a:1935' }],
}

function listOf(clients: readonly ClientInfo[]) {
  const list = new ClientListWriter()
  for (const client of clients) list.add(client, client)
  return list.end()
}

/** What the processes answer. */
function answerTo(question: Question, reload: ReloadOutcome): Answer {
  const streams = [info, bare]
  switch (question.ask) {
    case 'status':
      return { of: 'status', status }
    case 'hooks':
      return { of: 'hooks', hooks: [hookCount] }
    case 'usage':
      return { of: 'usage', usage: process.resourceUsage() }
    case 'clients':
      return { of: 'clients', clients: listOf(question.start === 0 ? [player] : []), total: 1 }
    case 'client': {
      const found = question.id === player.id ? [player] : []
      return { of: 'clients', clients: listOf(found), total: found.length }
    }
    case 'cluster':
      return { of: 'cluster', cluster }
    case 'programs':
      return { of: 'programs', programs }
    case 'kick':
      return { of: 'kick', kicked: question.id === player.id }
    case 'audience': {
      const audience = (question.streams ?? [streamName]).map((stream) => {
        const mine = stream === streamName
        return {
          stream,
          publishers: mine ? 1 : 0,
          players: mine ? { rtmp: 1 } : {},
          sendBytes: 9,
          sendKbps: 7,
        }
      })
      return { of: 'audience', audience }
    }
    case 'traffic':
      return { of: 'traffic', traffic: [traffic] }
    case 'streams':
      return { of: 'streams', streams, total: streams.length }
    case 'stream': {
      const found = streams.filter(({ stream }) => streamTag(stream) === question.tag)
      return { of: 'streams', streams: found, total: found.length }
    }
    case 'unpublish':
      return { of: 'unpublish', unpublished: question.tag === streamTag(streamName) }
    case 'reload':
      return { of: 'reload', outcome: reload }
  }
}

const applied: ReloadOutcome = {
  applied: true,
  changes: { global: ['listen'], vhosts: { added: ['a'], removed: [], changed: { b: ['hls.enabled'] } } },
  warnings: ['w'],
  atNextStart: ['pid'],
}

/** An API whose processes are made up, behind a real HTTP server. */
export async function startApi(settings = '', reload: ReloadOutcome = applied) {
  const asked: Question[] = []
  let silent = false
  let denied = 0
  const inspector: Inspector = new Inspector((message) => {
    if (message.t !== 'inquire') return
    asked.push(message.question)
    const answer = silent ? null : answerTo(message.question, reload)
    const encoded = answer && encodeAnswer(answer)
    const answers: WorkerAnswer<EncodedAnswer>[] = [
      { role: 'stream', index: 1, pid: process.pid, ready: true, answer: encoded },
    ]
    if (message.question.ask === 'status') {
      answers.push({ role: 'back-source', index: 3, pid: 999_999, ready: true, answer: null })
      answers.push({ role: 'back-source', index: 4, pid: 999_998, ready: false, answer: null })
    }
    setImmediate(() => inspector.onMessage({ t: 'report', inquiry: message.inquiry, server, answers }))
  })
  const { logger, lines } = recordingLogger()
  const config = configOf(settings)
  const host: { -readonly [K in keyof ApiHost]: ApiHost[K] } = {
    logger,
    config,
    identity: { server: 'srv', service: 'svc12345', pid: 77 },
    inspector,
    machine: new MachineMeter([]),
    leaving: false,
    onDenied: () => {
      denied += 1
    },
  }
  const api = await createApi(host)
  const http = createServer((request, response) => api.handle(request, response))
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    api.close()
    http.closeAllConnections()
    http.close()
  })
  const base = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  const request = (path: string, init: RequestInit = {}) =>
    fetch(base + path, { redirect: 'manual', ...init })
  const silence = (): void => {
    silent = true
  }
  return { api, asked, lines, request, http, host, silence, denied: () => denied }
}
