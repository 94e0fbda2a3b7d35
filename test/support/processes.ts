import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'

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
