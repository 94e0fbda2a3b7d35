import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { onTestFinished } from 'vitest'
import { isRunning } from './processes.ts'
import { until, within } from './until.ts'

/** A process that has ended, with what it printed. */
export interface Finished {
  /** Exit status; null when a signal ended it. */
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** Read file descriptor 3 too. */
  readonly third?: boolean
  /** Whoever starts it ends it; otherwise it is killed when the test has finished. */
  readonly endedByOwner?: boolean
}

/** A process that a test started. */
export class Command {
  readonly #child: ChildProcess
  readonly #output = { stdout: '', stderr: '', third: '' }
  /** Resolves when the process, and whoever inherited its output, has ended. */
  readonly exited: Promise<Finished>
  #finished: Finished | null = null

  /** @param program its arguments go to it as they are, without a shell */
  constructor(program: string, args: readonly string[], options: CommandOptions = {}) {
    const { cwd, env, third = false, endedByOwner = false } = options
    this.#child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe', third ? 'pipe' : 'ignore'],
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, ...env },
    })
    const [, stdout, stderr, extra] = this.#child.stdio
    this.#collect('stdout', stdout)
    this.#collect('stderr', stderr)
    this.#collect('third', extra)
    this.exited = new Promise((resolve, reject) => {
      this.#child.once('error', reject)
      this.#child.once('close', (status, signal) => {
        this.#finished = { status, signal, stdout: this.stdout, stderr: this.stderr }
        resolve(this.#finished)
      })
    })
    // Whoever waits for the end hears of the error.
    this.exited.catch(() => {})
    if (!endedByOwner) onTestFinished(() => this.kill())
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** How it ended; null while it runs. */
  get finished(): Finished | null {
    return this.#finished
  }

  get stdout(): string {
    return this.#output.stdout
  }

  get stderr(): string {
    return this.#output.stderr
  }

  /** What came on file descriptor 3. */
  get third(): string {
    return this.#output.third
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Kills it and waits until it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await until(`process ${this.pid} to be gone`, () => this.pid === 0 || !isRunning(this.pid))
  }

  #collect(name: 'stdout' | 'stderr' | 'third', stream: ChildProcess['stdio'][number] | undefined): void {
    if (!stream) return
    const readable = stream as Readable
    readable.setEncoding('utf8')
    readable.on('data', (text: string) => {
      this.#output[name] += text
    })
  }
}

/** Runs a program to its end. */
export function run(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Finished> {
  return within(`${program} ${args.join(' ')}`, new Command(program, args, options).exited)
}
