import * as fs from 'node:fs'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { PidFile, readPid } from '../../src/master/pid-file.ts'
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

describe('a pid file', () => {
  test('is made with its directory, and removed', () => {
    const path = join(tempDir(), 'deep', 'down', 'weir.pid')
    const file = new PidFile(path)
    expect(file.path).toBe(path)
    expectOnlyOwn(path)
    file.remove()
    expect(existsSync(path)).toBe(false)
    file.remove()
  })

  test('that is another process’s by now is not removed', () => {
    const path = join(tempDir(), 'weir.pid')
    const file = new PidFile(path)
    writeFileSync(path, '1\n')
    file.remove()
    expect(readPid(path)).toBe(1)
  })

  test('of a living master is refused, and stays', async () => {
    const path = join(tempDir(), 'weir.pid')
    const pid = await livingPid('weir: master')
    writeFileSync(path, `${pid}\n`)
    expect(() => new PidFile(path)).toThrow(held)
    expect(readPid(path)).toBe(pid)
    expect(readdirSync(join(path, '..'))).toStrictEqual(['weir.pid'])
  })

  test.each<[string, () => string | Promise<string>]>([
    ['of a dead process', async () => String(await deadPid())],
    ['of a living process that is no master: pids are used again', async () => String(await livingPid())],
    ['with nothing in it', () => ''],
    ['with no pid in it', () => 'weir'],
    ['with a pid that cannot be', () => '-1'],
  ])('%s is taken over', async (_, content) => {
    const path = join(tempDir(), 'weir.pid')
    writeFileSync(path, await content())
    new PidFile(path)
    expectOnlyOwn(path)
  })

  test('with the pid that this process has now is taken over: in a container it is always the same', () => {
    const { title } = process
    process.title = 'weir: master'
    onTestFinished(() => {
      process.title = title
    })
    const path = join(tempDir(), 'weir.pid')
    writeFileSync(path, `${process.pid}\n`)
    new PidFile(path)
    expectOnlyOwn(path)
  })

  test('that cannot be written is an error which names it', () => {
    const directory = tempDir()
    writeFileSync(join(directory, 'file'), '')
    const path = join(directory, 'file', 'weir.pid')
    expect(() => new PidFile(path)).toThrow(
      expect.objectContaining({ code: 'PID_FILE', message: expect.stringContaining(path) }),
    )
  })

  test('that is a directory is an error', () => {
    const directory = tempDir()
    expect(() => new PidFile(directory)).toThrow(expect.objectContaining({ code: 'PID_FILE' }))
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
    const other = await livingPid('weir: master')
    writeFileSync(path, `${await deadPid()}\n`)
    beforeRename(() => writeFileSync(path, `${other}\n`))
    expect(() => new PidFile(path)).toThrow(held)
    expect(readPid(path)).toBe(other)
    expect(readdirSync(join(path, '..'))).toStrictEqual(['weir.pid'])
  })

  test('do not wait for each other: the other removed it and gave up', async () => {
    const path = join(tempDir(), 'weir.pid')
    writeFileSync(path, `${await deadPid()}\n`)
    beforeRename(() => rmSync(path))
    new PidFile(path)
    expectOnlyOwn(path)
  })
})

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
