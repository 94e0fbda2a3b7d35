import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Readable } from 'node:stream'
import { codeOf, WeirError } from '../base/errors.ts'
import type { LogOptions } from '../base/logger.ts'

/** Set in the environment of the process that goes on in the background. */
const marker = 'WEIR_DAEMON'

/** Over which the background process tells the one in front how its start went. */
const reportFd = 3

const started = 'started'

/** Whether this process is the one in the background. */
export function isDaemon(): boolean {
  return process.env[marker] === '1'
}

/**
 * Starts this program again in the background, in a session of its own, and waits until it accepts clients.
 * What the process would print, a crash report above all, goes to the log file.
 * @param cwd where this program was started: paths in its arguments count from there
 * @returns the pid of the master
 * @throws WeirError when it does not start; the message is the background process's
 */
export async function startDaemon(log: LogOptions, cwd: string): Promise<number> {
  const output = openOutput(log)
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    cwd,
    detached: true,
    stdio: ['ignore', output, output, 'pipe'],
    env: { ...process.env, [marker]: '1' },
  })
  closeSync(output)
  let report = ''
  const pipe = child.stdio[reportFd] as Readable
  pipe.setEncoding('utf8')
  for await (const text of pipe) {
    report += text
    if (report === started) break
  }
  if (report !== started)
    throw new WeirError('WORKER_BOOT', report === '' ? 'the server died at start' : report)
  child.unref()
  return child.pid ?? 0
}

/** Tells the process in front how the start went: null: well. If that is gone, there is nobody to tell. */
export function reportStart(failure: string | null): void {
  try {
    writeSync(reportFd, failure ?? started)
  } catch (error) {
    if (codeOf(error) !== 'EPIPE') throw error
  }
  closeSync(reportFd)
}

function openOutput(log: LogOptions): number {
  const file = log.tank === 'file' ? log.file : '/dev/null'
  try {
    mkdirSync(dirname(file), { recursive: true })
    return openSync(file, 'a')
  } catch (error) {
    throw new WeirError('LOG_FILE', `srs_log_file ${file}: ${(error as Error).message}`, error)
  }
}
