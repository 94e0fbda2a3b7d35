import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'

/**
 * Ends a program when its owner dies in any way, `kill -9` included: a shell that waits on a pipe from the owner, which the
 * system closes at any death. It is told the program's process group; when the pipe ends, that gets TERM and, 2 s later, KILL.
 */
const guardScript =
  'trap "" HUP INT TERM; read -r pid <&3 || exit 0; read -r _ <&3; kill -TERM -"$pid"; sleep 2; kill -KILL -"$pid"'

/**
 * Becomes the program when it is told to, so that its owner has the program's own pid, exit status and signals: by then
 * the guard knows it, and if the owner dies before, it never starts. The text is fixed; the program and its arguments are
 * the shell's "$@", in which nothing is expanded or split.
 */
const launchScript = 'read -r _ <&3 || exit 0; exec 3<&- "$@"'

const shell = '/bin/sh'

/** Where both have their pipe from the owner. */
const pipeFd = 3

/** How long what a program has written may take to arrive when it has ended, in milliseconds. */
const outputGraceMs = 500

/** The master's settings of malloc are for Weir's own processes. */
const ownVariables = ['MALLOC_ARENA_MAX', 'MALLOC_MMAP_THRESHOLD_', 'MALLOC_TRIM_THRESHOLD_']

export interface SpawnOptions {
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** What it writes to standard output and standard error. */
  readonly onOutput: (bytes: Buffer) => void
  /** Its guard ended before it: nothing would end it with its owner any more. */
  readonly onUnguarded: () => void
  /**
   * Once, when it has ended, all it wrote has come, and its guard is gone.
   * @param status its exit status; null: a signal ended it, or it could not be started
   */
  readonly onEnd: (status: number | null, how: string) => void
  /** For tests: where the shell is. */
  readonly shell?: string
}

/** A running program that ends with this process. */
export interface GuardedProcess {
  /** 0: it could not be started; its end tells why. */
  readonly pid: number
  /** False where there is no shell to guard it. */
  readonly guarded: boolean
  /** Signals the program and all that it has started. */
  signal(signal: 'SIGTERM' | 'SIGKILL'): void
}

/**
 * Starts a program, without a shell that would read its arguments, in a process group of its own.
 * @param program path of a program that exists
 * @throws the system's error when it cannot be started; some come as its end instead
 */
export function spawnGuarded(
  program: string,
  args: readonly string[],
  options: SpawnOptions,
): GuardedProcess {
  const { shell: shellPath = shell, env = {}, onOutput } = options
  const guard = existsSync(shellPath) ? spawnGuard(shellPath) : null
  const [file, argv] =
    guard === null ? [program, [...args]] : [shellPath, ['-c', launchScript, 'weir', program, ...args]]
  const inherited = Object.entries(process.env).filter(([name]) => !ownVariables.includes(name))
  let child: ChildProcess
  try {
    child = spawn(file, argv, {
      stdio: ['ignore', 'pipe', 'pipe', guard === null ? 'ignore' : 'pipe'],
      env: { ...Object.fromEntries(inherited), ...env },
      detached: true,
    })
  } catch (error) {
    guard?.kill('SIGKILL')
    throw error
  }
  const output = [child.stdout, child.stderr].filter((stream) => stream !== null)
  for (const stream of output) stream.on('data', onOutput)
  // What it has started and left behind ends too.
  child.once('exit', () => signalGroup(child, 'SIGKILL'))
  const ends: Promise<unknown>[] = [endOf(child, output)]
  if (guard !== null) {
    const guardEnds = endOf(guard, [])
    ends.push(guardEnds)
    const hasPid = child.pid !== undefined
    if (hasPid) {
      tell(guard, `${child.pid}\n`)
      tell(child, 'go\n')
    }
    child.once(hasPid ? 'exit' : 'error', () => guard.kill('SIGKILL'))
    guardEnds.then(() => {
      if (hasPid && child.exitCode === null && child.signalCode === null) options.onUnguarded()
    }, neverFails)
  }
  Promise.all(ends).then(([how]) => {
    options.onEnd(child.pid === undefined ? null : child.exitCode, String(how))
  }, neverFails)
  return {
    pid: child.pid ?? 0,
    guarded: guard !== null,
    signal: (signal) => {
      if (child.exitCode === null && child.signalCode === null) signalGroup(child, signal)
    },
  }
}

function spawnGuard(shellPath: string): ChildProcess {
  return spawn(shellPath, ['-c', guardScript, 'weir-guard'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    detached: true,
  })
}

/** Resolves with how it ended, when nothing more can come from it. */
function endOf(child: ChildProcess, output: readonly Readable[]): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      if (child.pid === undefined) resolve(error.message)
    })
    child.once('exit', () => {
      // What it has started in a session of its own may keep its output open.
      const timer = setTimeout(() => {
        for (const stream of output) stream.destroy()
      }, outputGraceMs)
      child.once('close', (status, signal) => {
        clearTimeout(timer)
        resolve(signal === null ? `exit status ${status}` : `killed by ${signal}`)
      })
    })
  })
}

/** Writes to the pipe of a process that waits for it. */
function tell(child: ChildProcess, line: string): void {
  const pipe = child.stdio[pipeFd] as Socket | null | undefined
  // One that ended before it read has its end told by the process itself.
  pipe?.on('error', () => {})
  pipe?.resume()
  pipe?.write(line)
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch (error) {
    // It has just ended; or it has become another user's, and cannot be signalled.
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

/** For promises that are resolved by events alone. */
function neverFails(error: unknown): never {
  throw error
}
