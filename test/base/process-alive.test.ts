import { describe, expect, test } from 'vitest'
import { isAlive } from '../../src/base/process-alive.ts'
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
