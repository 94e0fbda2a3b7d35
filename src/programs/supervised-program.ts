import { BackOff } from '../base/back-off.ts'
import { monotonicMs } from '../base/clock.ts'
import { codeOf, messageOf, WeirError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { findProgram } from './find-program.ts'
import { type GuardedProcess, spawnGuarded } from './guarded-spawn.ts'
import { ProgramLog } from './program-log.ts'

/** A program to run, and with what. Two that are deeply equal are the same. */
export interface ProgramCommand {
  /** The first of these that exists is run: each a path, or a name to look for in PATH. */
  readonly programs: readonly string[]
  readonly args: readonly string[]
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Where its output goes; null: nowhere. */
  readonly logFile: string | null
}

/** What is to be known of a program. */
export interface ProgramState {
  /** `waiting`: it ended and is started again soon. */
  readonly state: 'running' | 'waiting' | 'stopping' | 'stopped'
  /** 0 unless it runs. */
  readonly pid: number
  /** How often it was started after it had ended. */
  readonly restarts: number
  /** Why it ended when it last failed, with the last line it wrote; '' if it never did. */
  readonly lastError: string
  /** How long it has been running, in milliseconds; 0 unless it runs. */
  readonly upMs: number
}

/** A program that ends in good order is started again, this long after its last start at the earliest, in milliseconds. */
const minIntervalMs = 3000

/** How long a program that was told to end may take, in milliseconds: less than a worker's end waits for its work. */
const termGraceMs = 1000

const maxLineLength = 300

/**
 * A program that runs as long as it is wanted: started again when it ends, at ever longer intervals when it fails. It ends
 * with this process, whatever happens to it.
 */
export class SupervisedProgram {
  readonly command: ProgramCommand
  readonly #logger: Logger
  readonly #log: ProgramLog
  readonly #backOff = new BackOff()
  #wanted = false
  #process: GuardedProcess | null = null
  /** It was told to end. */
  #stopping = false
  #startTimer: NodeJS.Timeout | null = null
  #killTimer: NodeJS.Timeout | null = null
  #ended: PromiseWithResolvers<void> | null = null
  #startedAtMs = 0
  #starts = 0
  #lastLine = ''
  #lastError = ''

  /** @param logger its lines name the program */
  constructor(command: ProgramCommand, logger: Logger) {
    this.command = command
    this.#logger = logger
    this.#log = new ProgramLog(command.logFile, logger)
  }

  get state(): ProgramState {
    const runs = this.#process !== null
    return {
      state: runs ? (this.#stopping ? 'stopping' : 'running') : this.#wanted ? 'waiting' : 'stopped',
      pid: this.#process?.pid ?? 0,
      restarts: Math.max(0, this.#starts - 1),
      lastError: this.#lastError,
      upMs: runs ? Math.round(monotonicMs() - this.#startedAtMs) : 0,
    }
  }

  /** Runs it from now on. If it is ending, it is started anew when it has. */
  start(): void {
    if (this.#wanted) return
    this.#wanted = true
    if (this.#process === null) this.#spawn()
  }

  /** Ends it. Resolves when it has ended. */
  async stop(): Promise<void> {
    this.#wanted = false
    if (this.#startTimer !== null) clearTimeout(this.#startTimer)
    this.#startTimer = null
    this.#terminate()
    await this.#ended?.promise
    await this.#log.flushed()
  }

  #terminate(): void {
    if (this.#process === null || this.#stopping) return
    const { signal } = this.#process
    this.#stopping = true
    signal('SIGTERM')
    this.#killTimer = setTimeout(() => {
      this.#logger.warn('a program did not end when it was told to, and is killed')
      signal('SIGKILL')
    }, termGraceMs)
  }

  #spawn(): void {
    this.#startTimer = null
    this.#startedAtMs = monotonicMs()
    this.#starts += 1
    this.#lastLine = ''
    try {
      this.#process = this.#spawned()
    } catch (error) {
      this.#onFailed(codeOf(error), messageOf(error))
    }
  }

  /** @throws WeirError PROGRAM_MISSING */
  #spawned(): GuardedProcess {
    const { programs, args, env } = this.command
    const path = programs.map((name) => findProgram(name)).find((found) => found !== null)
    if (path === undefined) {
      throw new WeirError('PROGRAM_MISSING', `there is no program ${programs.join(' or ')}`)
    }
    const spawned = spawnGuarded(path, args, {
      env,
      onOutput: (bytes) => this.#onOutput(bytes),
      onUnguarded: () => {
        if (this.#process !== spawned) return
        this.#logger.error({ code: 'PROGRAM_EXIT' }, 'program: its guard ended, and it is ended too')
        this.#terminate()
      },
      onEnd: (status, how) => this.#onEnd(status, how),
    })
    this.#ended = Promise.withResolvers()
    const about = { program: path, programPid: spawned.pid }
    this.#logger.info(about, 'program: started')
    if (!spawned.guarded) {
      this.#logger.warn(about, 'program: there is no /bin/sh to end it if this process is killed')
    }
    return spawned
  }

  #onOutput(bytes: Buffer): void {
    this.#log.write(bytes)
    // Only the last line is of interest, and of it only the beginning.
    const last = bytes
      .toString()
      .split(/[\r\n]+/)
      .findLast((line) => line.trim() !== '')
    if (last !== undefined) this.#lastLine = last.slice(0, maxLineLength).replace(/\p{Cc}/gu, ' ')
  }

  #onEnd(status: number | null, how: string): void {
    const wasStopping = this.#stopping
    if (this.#killTimer !== null) clearTimeout(this.#killTimer)
    this.#killTimer = null
    this.#stopping = false
    this.#process = null
    this.#ended?.resolve()
    this.#ended = null
    if (!this.#wanted) this.#logger.info({ how }, 'program: ended')
    else if (wasStopping) this.#spawn()
    else if (status === 0) this.#onFinished()
    else this.#onFailed('PROGRAM_EXIT', this.#lastLine === '' ? how : `${how}: ${this.#lastLine}`)
  }

  /** It has done what it had to do: it does it again. */
  #onFinished(): void {
    const waitMs = Math.max(0, minIntervalMs - (monotonicMs() - this.#startedAtMs))
    this.#logger.info({ waitMs: Math.round(waitMs) }, 'program: ended in good order, and is started again')
    this.#startTimer = setTimeout(() => this.#spawn(), waitMs)
  }

  #onFailed(code: string, reason: string): void {
    this.#lastError = reason
    const waitMs = this.#backOff.next(monotonicMs() - this.#startedAtMs)
    this.#logger.warn({ code, reason, waitMs }, 'program: failed, and is started again')
    this.#startTimer = setTimeout(() => this.#spawn(), waitMs)
  }
}
