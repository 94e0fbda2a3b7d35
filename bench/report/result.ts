import type { Chart } from './chart.ts'
import type { Table } from './markdown.ts'
import type { Target } from './target.ts'

/** What a case found. */
export interface CaseResult {
  /** As on the command line. */
  readonly name: string
  readonly title: string
  readonly targets: readonly Target[]
  readonly table: Table
  readonly charts: readonly Chart[]
  /** Paragraphs below the table. */
  readonly notes: readonly string[]
  /** All raw figures, for the JSON file. */
  readonly data: unknown
}
