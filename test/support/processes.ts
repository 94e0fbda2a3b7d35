import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const holderMain = fileURLToPath(new URL('./pid-file-holder.ts', import.meta.url))

/** Another process that holds pid files as a master does; killed when the test has finished. */
export class PidFileHolder {
  readonly pid: number
  readonly #child: ChildProcess
  readonly #answers: AsyncIterator<string>

  constructor() {
    this.#child = spawn(process.execPath, [holderMain], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.pid = pidOf(this.#child)
    this.#answers = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]()
    onTestFinished(() => this.kill())
  }

  /** Tries to hold a file. @returns `held`, or the code of the error */
  acquire(path: string): Promise<string> {
    return this.#ask(path)
  }

  async release(): Promise<void> {
    await this.#ask('release')
  }

  /** Ends it without a chance to clean up. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }

  async #ask(line: string): Promise<string> {
    this.#child.stdin!.write(`${line}\n`)
    const { value, done } = await this.#answers.next()
    if (done) throw new Error('the holder of pid files has ended')
    return value as string
  }
}

/** The pid of a process that does nothing until the test has finished; `ps` shows it under a name. */
export async function livingPid(name = 'sleep'): Promise<number> {
  const child = spawn('sleep', ['60'], { argv0: name, stdio: 'ignore' })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  await once(child, 'spawn')
  return pidOf(child)
}

/** The pid of a process that has ended. */
export async function deadPid(): Promise<number> {
  const child = spawn('true', [], { stdio: 'ignore' })
  await once(child, 'exit')
  return pidOf(child)
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('the process has no pid')
  return child.pid
}
