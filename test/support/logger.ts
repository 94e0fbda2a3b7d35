import pino from 'pino'
import type { Logger } from '../../src/base/logger.ts'

/** A line of the log, as pino writes it. */
export interface LogLine {
  readonly level: number
  readonly msg: string
  readonly [field: string]: unknown
}

/** A logger that keeps its lines, for tests that look at them. */
export function recordingLogger(): { logger: Logger; lines: LogLine[] } {
  const lines: LogLine[] = []
  const logger = pino({ level: 'trace' }, { write: (line) => lines.push(JSON.parse(line) as LogLine) })
  return { logger, lines }
}

/** A logger whose lines nobody reads. */
export const silentLogger: Logger = pino({ level: 'silent' })
