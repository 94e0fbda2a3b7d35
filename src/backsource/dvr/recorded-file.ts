import { stat } from 'node:fs/promises'
import { messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { HookSubject } from '../../hooks/hook-body.ts'
import { readRecordingFacts } from '../../recordings/head.ts'

/** A recording that is whole. */
export interface RecordedFile {
  readonly vhost: string
  readonly app: string
  readonly stream: string
  /** Path of the file, as the configuration has it: relative ones count from {@link cwd}. */
  readonly file: string
  readonly cwd: string
  readonly bytes: number
  readonly durationMs: number
  /** When it was begun, in milliseconds since 1970. */
  readonly startedAtMs: number
}

/** Who hears of recordings. */
export interface DvrListener {
  /**
   * A file is whole and has its name.
   * @param publisher who was recorded; null: it was left by a killed process, which knew
   */
  onRecorded(recording: RecordedFile, publisher: HookSubject | null): void
}

/** What there is to tell of a file. @returns null if it cannot be read, which is told in the log */
export async function recordedFile(file: string, logger: Logger): Promise<RecordedFile | null> {
  try {
    const facts = await readRecordingFacts(file)
    if (facts === null) return null
    const { vhost, app, stream, durationMs, startedAtMs } = facts
    const { size } = await stat(file)
    return { vhost, app, stream, file, cwd: process.cwd(), bytes: size, durationMs, startedAtMs }
  } catch (error) {
    logger.warn({ code: 'DVR_RECOVER', file, reason: messageOf(error) }, 'dvr: cannot read a recording')
    return null
  }
}
