/** Where the results of a run go. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../servers/weir.ts'
import type { Machine } from '../system/machine.ts'
import { machineText, markdownReport, targetTable } from './markdown.ts'
import { replaceMarked } from './marked-section.ts'
import type { CaseResult } from './result.ts'
import { isMet } from './target.ts'

/** All that a run found. */
export interface RunReport {
  /** `2026-01-31` */
  readonly date: string
  /** A tenth of the clients, a third of the time: nothing to compare with. */
  readonly quick: boolean
  readonly machine: Machine
  /** Of Weir and the peers, by name. */
  readonly versions: Readonly<Record<string, string>>
  readonly results: readonly CaseResult[]
}

/** What a run was: a whole one is published in the documentation, any other is only kept beside. */
export type RunKind = 'standing-set' | 'memory' | 'partial'

const resultsDir = join(root, 'bench/results')
const performancePage = join(root, 'docs/performance.md')
const readme = join(root, 'README.md')

/**
 * Writes JSON, Markdown and charts, and for a whole run the marked sections of the documentation.
 * @returns the paths of what was written
 * @throws Error when a page lacks its markers; the result files are written before
 */
export function writeReport(report: RunReport, kind: RunKind): string[] {
  const dir = kind === 'partial' ? join(resultsDir, 'tmp') : resultsDir
  mkdirSync(dir, { recursive: true })
  const written: string[] = []
  const write = (path: string, text: string): void => {
    writeFileSync(path, text)
    written.push(path)
  }
  const { date, quick, machine, versions, results } = report
  const about = `${machineText(machine, versions, date)}${quick ? ' A quick run: the figures say little.' : ''}`
  write(join(dir, kind === 'memory' ? `${date}-memory.json` : `${date}.json`), jsonOf(report))
  const title = '# Benchmarks of Weir\n\n'
  const latest = kind === 'memory' ? 'latest-memory.md' : 'latest.md'
  write(join(dir, latest), `${title}${markdownReport(about, results, '.', 2)}\n`)
  for (const { file, svg } of results.flatMap(({ charts }) => charts)) write(join(dir, file), svg)
  if (kind === 'partial') return written

  const section = kind === 'memory' ? 'memory' : 'figures'
  const whole = markdownReport(about, results, '../bench/results', 3)
  write(performancePage, replaceMarked(readFileSync(performancePage, 'utf8'), section, whole))
  if (kind === 'standing-set') {
    const summary = `${about}\n\n${targetTable(results)}`
    write(readme, replaceMarked(readFileSync(readme, 'utf8'), 'figures', summary))
  }
  return written
}

function jsonOf(report: RunReport): string {
  const results = report.results.map(({ name, title, targets, data }) => ({
    name,
    title,
    targets: targets.map((target) => ({ ...target, met: isMet(target) })),
    data,
  }))
  return `${JSON.stringify({ ...report, results }, null, 1)}\n`
}
