import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { masterOf, PidFile } from '../../src/master/pid-file.ts'
import { readPid } from '../../src/master/read-pid.ts'
import { deadPid, livingPid, PidFileHolder } from '../support/processes.ts'
import { tempDir } from '../support/temp-dir.ts'

function expectOnlyOwn(path: string): void {
  expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`)
  expect(readdirSync(join(path, '..'))).toStrictEqual(['weir.pid'])
}

describe('a pid file', () => {
  test('is made with its directory, and removed', async () => {
    const path = join(tempDir(), 'deep', 'down', 'weir.pid')
    const file = await PidFile.acquire(path)
    expect(file.path).toBe(path)
    expectOnlyOwn(path)
    await file.remove()
    expect(existsSync(path)).toBe(false)
  })

  test('that is another process’s by now is not removed', async () => {
    const path = join(tempDir(), 'weir.pid')
    const file = await PidFile.acquire(path)
    writeFileSync(path, '1\n')
    await file.remove()
    expect(readPid(path)).toBe(1)
  })

  test('of a living master is refused with its pid, and stays', async () => {
    const path = join(tempDir(), 'weir.pid')
    const other = new PidFileHolder()
    expect(await other.acquire(path)).toBe('held')
    const message = `pid ${path} is held by a running server, process ${other.pid}`
    await expect(PidFile.acquire(path)).rejects.toMatchObject({ code: 'PID_FILE', message })
    expect(readPid(path)).toBe(other.pid)
    expect(readdirSync(join(path, '..'))).toStrictEqual(['weir.pid'])
  })

  test('of a living master is refused by whatever path it is named', async () => {
    const directory = tempDir()
    mkdirSync(join(directory, 'run'))
    symlinkSync('run', join(directory, 'link'))
    expect(await new PidFileHolder().acquire(join(directory, 'run', 'weir.pid'))).toBe('held')
    const path = join(directory, 'link', 'weir.pid')
    await expect(PidFile.acquire(path)).rejects.toMatchObject({ code: 'PID_FILE' })
  })

  test('of a living master is refused though somebody removed the file', async () => {
    const path = join(tempDir(), 'weir.pid')
    expect(await new PidFileHolder().acquire(path)).toBe('held')
    rmSync(path)
    await expect(PidFile.acquire(path)).rejects.toMatchObject({ code: 'PID_FILE' })
  })

  test('beside that of a living master is another one', async () => {
    const directory = tempDir()
    expect(await new PidFileHolder().acquire(join(directory, 'other.pid'))).toBe('held')
    const path = join(directory, 'weir.pid')
    const file = await PidFile.acquire(path)
    expect(readPid(path)).toBe(process.pid)
    await file.remove()
  })

  test.each<[string, () => string | Promise<string>]>([
    ['of a dead process', async () => String(await deadPid())],
    ['of a living process that is no master: pids are used again', async () => String(await livingPid())],
    ['of a process that looks like a master', async () => String(await livingPid('weir: master'))],
    ['with the pid that this process has: in a container it is always the same', () => String(process.pid)],
    ['with nothing in it', () => ''],
    ['with no pid in it', () => 'weir'],
    ['with a pid that cannot be', () => '-1'],
  ])('%s is taken over', async (_, content) => {
    const path = join(tempDir(), 'weir.pid')
    writeFileSync(path, await content())
    const file = await PidFile.acquire(path)
    expectOnlyOwn(path)
    await file.remove()
  })

  test('of a master that was killed is taken over', async () => {
    const path = join(tempDir(), 'weir.pid')
    const other = new PidFileHolder()
    expect(await other.acquire(path)).toBe('held')
    await other.kill()
    const file = await PidFile.acquire(path)
    expectOnlyOwn(path)
    await file.remove()
  })

  test('that cannot be written is an error which names it', async () => {
    const directory = tempDir()
    writeFileSync(join(directory, 'file'), '')
    const path = join(directory, 'file', 'weir.pid')
    await expect(PidFile.acquire(path)).rejects.toMatchObject({
      code: 'PID_FILE',
      message: expect.stringContaining(path),
    })
  })

  test('that is a directory is an error, and can be made once that is gone', async () => {
    const path = join(tempDir(), 'weir.pid')
    mkdirSync(path)
    await expect(PidFile.acquire(path)).rejects.toMatchObject({ code: 'PID_FILE' })
    expect(readdirSync(join(path, '..'))).toStrictEqual(['weir.pid'])
    rmSync(path, { recursive: true })
    await (await PidFile.acquire(path)).remove()
  })
})

test('of many servers that start at once on one stale file, one has it', { timeout: 60_000 }, async () => {
  const holders = Array.from({ length: 8 }, () => new PidFileHolder())
  const stale = `${await deadPid()}\n`
  for (let round = 0; round < 100; round += 1) {
    const path = join(tempDir(), 'weir.pid')
    writeFileSync(path, stale)
    const answers = await Promise.all(holders.map((holder) => holder.acquire(path)))
    expect(answers.toSorted()).toStrictEqual([...Array(7).fill('PID_FILE'), 'held'])
    expect(readPid(path)).toBe(holders[answers.indexOf('held')]!.pid)
    expect(readdirSync(join(path, '..'))).toStrictEqual(['weir.pid'])
    await Promise.all(holders.map((holder) => holder.release()))
  }
})

describe('the master of a pid file', () => {
  test('is the living process that holds it', async () => {
    const path = join(tempDir(), 'weir.pid')
    const holder = new PidFileHolder()
    await holder.acquire(path)
    expect(masterOf(path)).toBe(holder.pid)
    await holder.release()
    expect(masterOf(path)).toBeNull()
  })

  test('is none when there is no file, or not even its directory', () => {
    expect(masterOf(join(tempDir(), 'none.pid'))).toBeNull()
    expect(masterOf(join(tempDir(), 'none', 'none.pid'))).toBeNull()
  })

  test('is none when the process in it does not hold it, whatever it looks like', async () => {
    const path = join(tempDir(), 'weir.pid')
    writeFileSync(path, `${await livingPid('weir: master')}\n`)
    expect(masterOf(path)).toBeNull()
  })

  test('is none when another process holds it: one that starts has not written its pid yet', async () => {
    const path = join(tempDir(), 'weir.pid')
    await new PidFileHolder().acquire(path)
    writeFileSync(path, `${await livingPid('weir: master')}\n`)
    expect(masterOf(path)).toBeNull()
  })
})
