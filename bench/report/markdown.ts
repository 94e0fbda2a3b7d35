import type { Machine } from '../system/machine.ts'
import type { CaseResult } from './result.ts'
import { formatFigure, formatLimit, type Target, verdict } from './target.ts'

/** Cells of a table, its heads first. */
export type Table = readonly (readonly string[])[]

/** The first column is left-aligned, the others, which are figures mostly, right. */
export function markdownTable([heads, ...rows]: Table): string {
  if (heads === undefined) throw new Error('a table without heads')
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const rule = heads.map((_, column) => (column === 0 ? '---' : '--:'))
  return [line(heads), line(rule), ...rows.map(line)].join('\n')
}

/** The table of all targets of the cases. */
export function targetTable(results: readonly CaseResult[]): string {
  const rows = results.flatMap(({ title, targets }) =>
    targets.map((target, index) => [index === 0 ? title : '', ...targetCells(target)]),
  )
  return markdownTable([['case', 'figure', 'measured', 'target', 'met'], ...rows])
}

/** One line about a target, for a terminal. */
export function targetLine(target: Target): string {
  const [what, measured, limit, met] = targetCells(target)
  return `${what}: ${measured} (target ${limit}): ${met!.replaceAll('*', '')}`
}

/** A whole report: the machine, the targets, then each case's own tables and charts. */
export function markdownReport(
  machine: string,
  results: readonly CaseResult[],
  imageFolder: string,
  headingLevel: number,
): string {
  const heading = '#'.repeat(headingLevel)
  const cases = results.map((result) => {
    const charts = result.charts.map(({ file, title }) => `![${title}](${imageFolder}/${file})`)
    const parts = [`${heading} ${result.title}`, markdownTable(result.table), ...charts, ...result.notes]
    return parts.join('\n\n')
  })
  return [machine, targetTable(results), ...cases].join('\n\n')
}

/** The machine and the versions in one paragraph. */
export function machineText(
  machine: Machine,
  versions: Readonly<Record<string, string>>,
  date: string,
): string {
  const { cpu, cores, memoryGb, kernel, node, placement } = machine
  const servers = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return (
    `Measured on ${date}: ${cpu}, ${cores} cores, ${memoryGb} GB, ${kernel}, Node ${node}; ` +
    `${servers.join(', ')}; ${placement}.`
  )
}

function targetCells(target: Target): string[] {
  return [target.what, formatFigure(target.value, target.unit), formatLimit(target), verdict(target)]
}
