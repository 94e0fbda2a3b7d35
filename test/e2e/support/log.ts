import { existsSync, readFileSync } from 'node:fs'

/** A line of a server's log. */
export interface LogLine {
  readonly level: string
  readonly role: string
  readonly pid: number
  readonly msg: string
  /** Connection id. */
  readonly cid?: string
  readonly code?: string
  readonly reason?: string
  readonly stream?: string
  readonly [field: string]: unknown
}

/** The lines of a log file. A line that is being written, and what a crash printed, are no lines. */
export function readLog(file: string): LogLine[] {
  if (!existsSync(file)) return []
  const complete = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  return complete.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as LogLine)
}
