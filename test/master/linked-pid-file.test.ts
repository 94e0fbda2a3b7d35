import * as fs from 'node:fs'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { linkPidFile } from '../../src/master/linked-pid-file.ts'
import { readPid } from '../../src/master/read-pid.ts'
import { deadPid, livingPid } from '../support/processes.ts'
import { tempDir } from '../support/temp-dir.ts'

vi.mock('node:fs', { spy: true })

afterEach(() => {
  vi.mocked(fs.renameSync).mockReset()
})

const held = expect.objectContaining({ code: 'PID_FILE', message: expect.stringContaining('is held by') })

function expectOnlyOwn(path: string): void {
  expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`)
  expect(readdirSync(join(path, '..'))).toStrictEqual(['weir.pid'])
}

describe('a pid file that is the lock, as on systems without abstract sockets,', () => {
  test('is made', () => {
    const path = join(tempDir(), 'weir.pid')
    linkPidFile(path)
    expectOnlyOwn(path)
  })

  test('of a living process is refused, and stays', async () => {
    const path = join(tempDir(), 'weir.pid')
    const pid = await livingPid()
    writeFileSync(path, `${pid}\n`)
    expect(() => linkPidFile(path)).toThrow(held)
    expect(readPid(path)).toBe(pid)
    expect(readdirSync(join(path, '..'))).toStrictEqual(['weir.pid'])
  })

  test.each<[string, () => string | Promise<string>]>([
    ['of a dead process', async () => String(await deadPid())],
    ['with the pid of this process: in a container it is always the same', () => String(process.pid)],
    ['with nothing in it', () => ''],
    ['with no pid in it', () => 'weir'],
    ['with a pid that cannot be', () => '-1'],
  ])('%s is taken over', async (_, content) => {
    const path = join(tempDir(), 'weir.pid')
    writeFileSync(path, await content())
    linkPidFile(path)
    expectOnlyOwn(path)
  })
})

describe('two servers that find the same stale file', () => {
  /** Lets something happen right before this process renames the stale file. */
  function beforeRename(action: () => void): void {
    vi.mocked(fs.renameSync).mockImplementationOnce((from, to) => {
      action()
      fs.renameSync(from, to)
    })
  }

  test('do not both start: the other was faster, and keeps its file', async () => {
    const path = join(tempDir(), 'weir.pid')
    const other = await livingPid()
    writeFileSync(path, `${await deadPid()}\n`)
    beforeRename(() => writeFileSync(path, `${other}\n`))
    expect(() => linkPidFile(path)).toThrow(held)
    expect(readPid(path)).toBe(other)
    expect(readdirSync(join(path, '..'))).toStrictEqual(['weir.pid'])
  })

  test('do not wait for each other: the other removed it and gave up', async () => {
    const path = join(tempDir(), 'weir.pid')
    writeFileSync(path, `${await deadPid()}\n`)
    beforeRename(() => rmSync(path))
    linkPidFile(path)
    expectOnlyOwn(path)
  })
})
