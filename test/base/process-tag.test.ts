import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { isAlive } from '../../src/base/process-alive.ts'
import { isTagAlive, processTag, processTagPattern } from '../../src/base/process-tag.ts'
import { eventually } from '../support/eventually.ts'
import { deadPid, livingPid } from '../support/processes.ts'

test('a process is known by its tag as long as it lives, and another with its pid is another', async () => {
  const pid = await livingPid('a) b')
  const tag = processTag(pid)
  expect(tag).toMatch(new RegExp(`^${processTagPattern}$`))
  expect(isTagAlive(tag)).toBe(true)
  expect(isTagAlive(String(pid))).toBe(true)
  if (process.platform === 'linux') expect(isTagAlive(`${pid}-1`)).toBe(false)
  const dead = await deadPid()
  expect(isTagAlive(String(dead))).toBe(false)
  expect(isTagAlive(processTag(dead))).toBe(false)
  expect(processTag(process.pid)).toBe(processTag(process.pid))
})

test.runIf(process.platform === 'linux')(
  'a process that has ended is dead, though nobody has asked how',
  async () => {
    // The shell becomes a program that does not wait for the shell's child.
    const child = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const pid = Number(line.toString())
    await eventually(() => expect(isTagAlive(String(pid))).toBe(false))
    expect(isAlive(pid)).toBe(true)
  },
)
