import { describe, expect, test } from 'vitest'
import { isMaster } from '../../src/master/process-alive.ts'
import { deadPid, livingPid } from '../support/processes.ts'

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
