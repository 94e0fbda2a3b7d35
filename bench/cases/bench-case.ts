import type { BenchRun } from '../bench-run.ts'
import type { CaseResult } from '../report/result.ts'

/** One case of the set. */
export interface BenchCase {
  /** As on the command line. */
  readonly name: string
  /** As in the report. */
  readonly title: string
  measure(run: BenchRun): Promise<Omit<CaseResult, 'name' | 'title'>>
}
