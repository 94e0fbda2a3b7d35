import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BenchRun, delay } from '../bench-run.ts'
import { play } from '../load-tool.ts'
import { withPublishers, withServer } from '../measure.ts'
import { lineChart } from '../report/chart.ts'
import { atMost, format } from '../report/target.ts'
import type { RunningServer } from '../servers/server.ts'
import { weir } from '../servers/weir.ts'
import { apart } from '../system/placement.ts'
import { roleOf } from '../system/process-tree.ts'
import type { BenchCase } from './bench-case.ts'

/** A line of memory-probe.mjs: bytes of one process at a moment (ms since the epoch). */
interface ProbeLine {
  readonly at: number
  readonly title: string
  readonly rss: number
  readonly heapUsed: number
  readonly external: number
}

const measures = ['rss', 'heapUsed', 'external'] as const

type Measure = (typeof measures)[number]

const names: Record<Measure, string> = { rss: 'RSS', heapUsed: 'heap used', external: 'external' }

/** The players come and go in crews; a crew's stay, in seconds, by its number. */
const staySeconds = [13, 17, 19, 23]

/** Ten minutes of players that come and go: what is lost with each of them would add up. */
export const memory: BenchCase = {
  name: 'memory',
  title: 'Memory over ten minutes, 1,000 players that come and go',
  async measure(run) {
    const seconds = run.quick ? 45 : 600
    const intervalMs = run.quick ? 1000 : 10_000
    const probeDir = mkdtempSync(join(run.dir, 'memory-'))
    const setup = weir({
      env: {
        NODE_OPTIONS: `--import ${fileURLToPath(new URL('../memory-probe.mjs', import.meta.url))}`,
        WEIR_BENCH_MEMORY_DIR: probeDir,
        WEIR_BENCH_MEMORY_MS: String(intervalMs),
      },
    })
    const begin = Date.now()
    const { visits, lost } = await withServer(run, setup, apart, (server) =>
      withPublishers(run, server, { clip: 500, streams: 1 }, apart, () => comeAndGo(run, server, seconds)),
    )
    const lines = readProbes(probeDir).filter(({ at }) => at <= begin + seconds * 1000)
    const roles = [...new Set(lines.map(({ title }) => roleOf(title)))]
    const growth = (measure: Measure): number =>
      (meanOf(lines, measure, begin, seconds, 2) / meanOf(lines, measure, begin, seconds, 1) - 1) * 100
    const rows = roles.flatMap((role) => {
      const own = lines.filter(({ title }) => roleOf(title) === role)
      return measures.map((measure) => [
        `${role}: ${names[measure]}`,
        ...[0, 1, 2].map((third) => format(meanOf(own, measure, begin, seconds, third) / 1e6)),
      ])
    })
    const chart = lineChart(
      'memory.svg',
      'Memory of all processes',
      'MB',
      measures.map((measure) => ({
        label: names[measure],
        points: totals(lines, measure, begin, intervalMs).map(([at, bytes]) => [at, bytes / 1e6] as const),
      })),
    )
    return {
      targets: [
        ...measures.map((measure) =>
          atMost(`growth of ${names[measure]} from the second third to the last`, growth(measure), 10, '%'),
        ),
        atMost('players that did not play to the end', lost, 0),
      ],
      table: [['mean of a third of the time, MB', 'first', 'second', 'last'], ...rows],
      charts: [chart],
      notes: [`${visits} players came and went in ${seconds} s.`],
      data: { seconds, visits, lost, lines },
    }
  },
}

/** Keeps 1,000 players coming and going. @returns how many played to their end, and how many did not */
async function comeAndGo(
  run: BenchRun,
  server: RunningServer,
  seconds: number,
): Promise<{ visits: number; lost: number }> {
  const players = run.count(1000) / staySeconds.length
  const endAt = performance.now() + seconds * 1000
  let visits = 0
  let lost = 0
  const crew = async (stay: number): Promise<void> => {
    while (performance.now() < endAt) {
      const playing = play({
        url: server.url('s_0'),
        players,
        seconds: Math.min(stay, Math.max(1, Math.floor((endAt - performance.now()) / 1000))),
        coreList: apart.load,
      })
      try {
        const { up } = await playing.result
        visits += up
        lost += players - up
      } finally {
        await playing.stop()
      }
      await delay(500)
    }
  }
  await Promise.all(staySeconds.map(crew))
  return { visits, lost }
}

function readProbes(dir: string): ProbeLine[] {
  return readdirSync(dir)
    .flatMap((file) => readFileSync(join(dir, file), 'utf8').trimEnd().split('\n'))
    .map((line) => JSON.parse(line) as ProbeLine)
    .sort((a, b) => a.at - b.at)
}

/** Sum over all processes at each tick of the probe: seconds since `begin`, and bytes. */
function totals(
  lines: readonly ProbeLine[],
  measure: Measure,
  begin: number,
  intervalMs: number,
): [number, number][] {
  const sums = new Map<number, number>()
  for (const line of lines) {
    const tick = Math.round((line.at - begin) / intervalMs)
    sums.set(tick, (sums.get(tick) ?? 0) + line[measure])
  }
  return [...sums].map(([tick, bytes]) => [(tick * intervalMs) / 1000, bytes])
}

/** Mean over the samples of one third (0, 1, 2) of the time, in bytes for one process. */
function meanOf(
  lines: readonly ProbeLine[],
  measure: Measure,
  begin: number,
  seconds: number,
  third: number,
): number {
  const length = (seconds * 1000) / 3
  const own = lines.filter(({ at }) => Math.floor((at - begin) / length) === third)
  return own.reduce((sum, line) => sum + line[measure], 0) / own.length
}
