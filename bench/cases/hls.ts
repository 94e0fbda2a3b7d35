import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PlayResult } from '../../src/tools/bench/result.ts'
import { type BenchRun, delay, within } from '../bench-run.ts'
import { play } from '../load-tool.ts'
import { cpuDuring, withPublishers, withServer } from '../measure.ts'
import { barChart } from '../report/chart.ts'
import { atLeast, atMost, format, ratio } from '../report/target.ts'
import { hasWrk, type RequestRate, requestRate } from '../request-rate.ts'
import { nginxFiles } from '../servers/nginx-files.ts'
import type { RunningServer } from '../servers/server.ts'
import { htmlOf, weir } from '../servers/weir.ts'
import { apart } from '../system/placement.ts'
import type { BenchCase } from './bench-case.ts'
import { errorsOf } from './peer-figures.ts'

/** What one server of the files spent and gave. */
interface FileFigures {
  readonly server: string
  /** Of the processes that answer, in seconds; and that of all processes of the server. */
  readonly cpuSeconds: number
  readonly allCpuSeconds: number
  readonly seconds: number
  readonly cpuSecondsPerGb: number
  readonly result: PlayResult
  /** Of the playlist alone, as fast as it goes; null: wrk is not here. */
  readonly playlistRate: RequestRate | null
}

const fragmentSeconds = 4
/** Each client loads a segment in each of these. */
const measuredFragments = 3
/** Weir and nginx are measured in turn, this often. */
const rounds = 2
/** The first segments of clients come at once: they come slowly. */
const rampPerSecond = 200
const rateSeconds = 5
const timeoutMs = 120_000
const playlist = '/live/s_0.m3u8'
/** Which processes answer requests. */
const answering = ['http', 'worker']

/** Playlists and segments to clients that keep their connections, beside nginx with the very same files. */
export const hls: BenchCase = {
  name: 'hls',
  title: '2,000 clients of HLS, 500 kbit/s in segments of 4 s',
  async measure(run) {
    const own = weir({ workers: 1, http: { hls: fragmentSeconds } })
    return withServer(run, own, apart, (server) =>
      withPublishers(run, server, { clip: 500, streams: 1 }, apart, async () => {
        const html = htmlOf(server.dir)
        await untilLasting(join(html, playlist))
        const ofWeir: FileFigures[] = []
        const ofNginx: FileFigures[] = []
        for (let round = 0; round < rounds; round++) {
          ofWeir.push(await measureFiles(run, server))
          if (run.peers.nginx === null) continue
          // The stream goes on: nginx serves what Weir writes meanwhile.
          ofNginx.push(await withServer(run, nginxFiles(html), apart, (nginx) => measureFiles(run, nginx)))
        }
        return report(ofWeir, ofNginx)
      }),
    )
  },
}

/** Waits until a playlist has as many segments as clients begin with. */
async function untilLasting(path: string): Promise<void> {
  const segments = (): number =>
    existsSync(path) ? readFileSync(path, 'utf8').split('#EXTINF').length - 1 : 0
  const wait = async (): Promise<void> => {
    while (segments() < 4) await delay(200)
  }
  await within(timeoutMs, wait(), 'the playlist has no four segments')
}

async function measureFiles(run: BenchRun, server: RunningServer): Promise<FileFigures> {
  const seconds = run.quick ? fragmentSeconds : measuredFragments * fragmentSeconds
  const playing = play({
    url: server.httpUrl(playlist),
    players: run.count(2000),
    seconds,
    ramp: rampPerSecond,
    coreList: apart.load,
  })
  try {
    await within(timeoutMs, playing.started, 'the load tool does not begin to measure')
    const cpu = await cpuDuring(server, seconds - 0.2)
    const result = await within(timeoutMs, playing.result, 'the load tool does not report')
    const spent = cpu.after
      .filter(({ role }) => answering.includes(role))
      .reduce((sum, { pid, cpuSeconds }) => sum + cpuSeconds - (cpu.before.get(pid)?.cpuSeconds ?? 0), 0)
    return {
      server: server.setup.name,
      cpuSeconds: spent,
      allCpuSeconds: cpu.cpuSeconds,
      seconds: cpu.seconds,
      cpuSecondsPerGb: spent / cpu.seconds / (result.bytes / result.seconds / 1e9),
      result,
      playlistRate: hasWrk() ? await requestRate(server.httpUrl(playlist), rateSeconds, apart.load) : null,
    }
  } finally {
    await playing.stop()
  }
}

/** What disturbs a measurement only adds to it: the one with the least CPU s per GB, with the highest rate of them all. */
function bestOf(figures: readonly FileFigures[]): FileFigures | undefined {
  const [best] = figures.toSorted((a, b) => a.cpuSecondsPerGb - b.cpuSecondsPerGb)
  const rates = figures.flatMap(({ playlistRate }) => (playlistRate === null ? [] : [playlistRate]))
  const [fastest = null] = rates.toSorted((a, b) => b.perSecond - a.perSecond)
  return best && { ...best, playlistRate: fastest }
}

function report(ofWeir: readonly FileFigures[], ofNginx: readonly FileFigures[]) {
  const [own, nginx] = [bestOf(ofWeir), bestOf(ofNginx)]
  const all = [own, nginx].filter((figures) => figures !== undefined)
  const rateOf = (figures: FileFigures | undefined): number | null => figures?.playlistRate?.perSecond ?? null
  const errors = ofWeir.reduce(
    (sum, { result, playlistRate }) => sum + errorsOf(result) + (playlistRate?.errors ?? 0),
    0,
  )
  const heads = [
    'server',
    'CPU s per GB',
    '% of a core that answers (all processes)',
    'Mbit/s',
    'playlists/s',
    'segments/s',
    'answered in p50 / p99 ms',
    'errors',
    'load % of a core',
    'playlist alone, requests/s',
  ]
  return {
    targets: [
      atMost('CPU s per GB, of nginx', ratio(own!.cpuSecondsPerGb, nginx?.cpuSecondsPerGb ?? null), 2),
      atLeast('requests/s for the playlist, of nginx', ratio(rateOf(own), rateOf(nginx)), 0.5),
      atMost('errors of clients', errors, 0),
    ],
    table: [heads, ...all.map(rowOf)],
    charts: [
      barChart(
        'hls.svg',
        'CPU to serve HLS to 2,000 clients',
        'CPU seconds per GB, less is better',
        all.map(({ server, cpuSecondsPerGb }) => ({ label: server, value: cpuSecondsPerGb })),
      ),
    ],
    notes: [
      'CPU s per GB is that of the processes that answer: Weir’s HTTP worker, nginx’s worker. nginx serves the files ' +
        `that Weir writes at the time. Measured in turn, ${rounds} times each; the best of each counts.`,
      ...(nginx === undefined ? ['nginx is missing: it is not installed.'] : []),
      ...(own!.playlistRate === null ? ['Requests/s were not measured: wrk is not installed.'] : []),
    ],
    data: { ofWeir, ofNginx },
  }
}

function rowOf(figures: FileFigures): string[] {
  const { server, cpuSeconds, allCpuSeconds, seconds, cpuSecondsPerGb, result, playlistRate } = figures
  const { requests, mbps } = result
  const percent = (cpu: number, time: number): string => format((cpu / time) * 100)
  const perSecond = (count: number): string => format(count / result.seconds)
  return [
    server,
    format(cpuSecondsPerGb),
    `${percent(cpuSeconds, seconds)} (${percent(allCpuSeconds, seconds)})`,
    format(mbps),
    perSecond(requests?.playlists ?? 0),
    perSecond(requests?.segments ?? 0),
    requests === null ? '–' : `${format(requests.responseMs.p50)} / ${format(requests.responseMs.p99)}`,
    String(errorsOf(result) + (playlistRate?.errors ?? 0)),
    percent(result.cpuSeconds, result.seconds),
    playlistRate === null ? '–' : format(playlistRate.perSecond),
  ]
}
