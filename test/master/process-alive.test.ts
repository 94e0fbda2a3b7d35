import { describe, expect, test } from 'vitest'
import { isAlive, isMaster } from '../../src/master/process-alive.ts'
import { deadPid, livingPid } from '../support/processes.ts'

describe('a process', () => {
  test('that runs is alive', async () => {
    expect(isAlive(process.pid)).toBe(true)
    expect(isAlive(await livingPid())).toBe(true)
  })

  test('that ended is not', async () => {
    expect(isAlive(await deadPid())).toBe(false)
  })
})

describe('a master', () => {
  test.each<[string, boolean]>([
    ['weir: master', true],
    ['/opt/weir/bin/weir', true],
    ['sleep', false],
  ])('shows itself as %s: %s', async (name, expected) => {
    expect(isMaster(await livingPid(name))).toBe(expected)
  })

  test('that is dead is none', async () => {
    expect(isMaster(await deadPid())).toBe(false)
  })
})
