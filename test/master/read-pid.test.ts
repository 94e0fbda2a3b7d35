import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readPid } from '../../src/master/read-pid.ts'
import { tempDir } from '../support/temp-dir.ts'

describe('reading a pid file', () => {
  test('that is not there gives nothing', () => {
    expect(readPid(join(tempDir(), 'none.pid'))).toBeNull()
  })

  test.each([
    ['123\n', 123],
    [' 7 ', 7],
    ['', null],
    ['0', null],
    ['1.5', null],
    ['12x', null],
  ])('%j gives %s', (content, pid) => {
    const path = join(tempDir(), 'weir.pid')
    writeFileSync(path, content)
    expect(readPid(path)).toBe(pid)
  })
})
