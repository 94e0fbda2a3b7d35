import { expect, test } from 'vitest'
import { isTagAlive, processTag, processTagPattern } from '../../src/base/process-tag.ts'
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
