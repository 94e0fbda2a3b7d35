/** The processes that a run starts: each is known until it has ended, so that none outlives the run. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { treeOf } from './process-tree.ts'

/** How long a process may take to end by itself after SIGTERM, in ms. Weir's own limit is 5 s. */
const endTimeoutMs = 8000

const running = new Set<ChildProcess>()

/** Starts a process that {@link endAll} ends with its descendants, if nothing else did. */
export function start(command: readonly string[], options: SpawnOptions = {}): ChildProcess {
  const child = spawn(command[0]!, command.slice(1), { stdio: 'ignore', ...options })
  running.add(child)
  child.once('exit', () => running.delete(child))
  child.once('error', () => running.delete(child))
  return child
}

export function hasEnded(child: ChildProcess): boolean {
  return !running.has(child)
}

/** Ends a process: politely, and by force when that takes too long; then its descendants as well. */
export async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (hasEnded(child)) return
  const exited = once(child, 'exit')
  const descendants = treeOf(child.pid!).slice(1)
  child.kill(signal)
  const timer = setTimeout(() => {
    for (const pid of [child.pid!, ...descendants]) kill(pid)
  }, endTimeoutMs)
  await exited
  clearTimeout(timer)
}

/** For the end of the run, in good order or not: nothing that was started lives on. */
export function endAll(): void {
  for (const child of running) for (const pid of treeOf(child.pid!)) kill(pid)
  running.clear()
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
