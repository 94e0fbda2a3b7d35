import * as fs from 'node:fs'
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, relative } from 'node:path'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { controlSocketOf, RuntimeDir } from '../../src/master/runtime-dir.ts'
import { deadPid, livingPid } from '../support/processes.ts'
import { tempDir } from '../support/temp-dir.ts'

vi.mock('node:fs', { spy: true })

afterEach(() => {
  vi.mocked(fs.readdirSync).mockReset()
  vi.mocked(fs.rmSync).mockReset()
})

const own = String(process.pid)

/** Has the next calls of a function fail with these codes; the others do what they always do. */
function failNext(
  calls: { mockImplementationOnce(implementation: () => never): unknown },
  code: string,
): void {
  calls.mockImplementationOnce(() => {
    throw Object.assign(new Error(code), { code })
  })
}

/** A directory as a master leaves it: with a socket. */
function masterDir(base: string, pid: number): string {
  const path = join(base, String(pid))
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, 'master.sock'), '')
  return path
}

describe('the runtime directory', () => {
  test('is made, for this user only', () => {
    const base = join(tempDir(), 'run')
    const runtime = new RuntimeDir(base)
    expect(runtime.path).toBe(join(base, own))
    expect(statSync(runtime.path).mode & 0o777).toBe(0o700)
  })

  test('is for this user only whatever the umask says', () => {
    const umask = process.umask(0o277)
    onTestFinished(() => {
      process.umask(umask)
    })
    const base = tempDir()
    expect(statSync(new RuntimeDir(base).path).mode & 0o777).toBe(0o700)
  })

  test('gives sockets absolute paths, also when it is named relative to the working directory', () => {
    const base = tempDir()
    const runtime = new RuntimeDir(relative(process.cwd(), base))
    expect(runtime.socket('s1')).toBe(join(base, own, 's1.sock'))
    expect(controlSocketOf(base, process.pid)).toBe(runtime.socket('master'))
  })

  test('is removed with what is in it, but not its base', () => {
    const base = tempDir()
    const runtime = new RuntimeDir(base)
    writeFileSync(runtime.socket('s1'), '')
    runtime.remove()
    expect(readdirSync(base)).toStrictEqual([])
    runtime.remove()
  })

  test('of a process that had this pid before is made anew', () => {
    const base = tempDir()
    chmodSync(masterDir(base, process.pid), 0o755)
    const runtime = new RuntimeDir(base)
    expect(readdirSync(runtime.path)).toStrictEqual([])
    expect(statSync(runtime.path).mode & 0o777).toBe(0o700)
  })
})

describe('directories of other masters', () => {
  test('are removed when their process is dead, and stay when it lives', async () => {
    const base = tempDir()
    const living = masterDir(base, await livingPid())
    const dead = masterDir(base, await deadPid())
    new RuntimeDir(base)
    expect(existsSync(living)).toBe(true)
    expect(existsSync(dead)).toBe(false)
  })

  test('may hold real sockets of the dead', async () => {
    const base = tempDir()
    const dead = join(base, String(await deadPid()))
    mkdirSync(dead)
    const server = createServer()
    onTestFinished(() => {
      server.close()
    })
    await new Promise<void>((resolve) => {
      server.listen(join(dead, 'b1.sock'), resolve)
    })
    new RuntimeDir(base)
    expect(existsSync(dead)).toBe(false)
  })

  test('are told from other things with a number for a name: /run/user holds the users’ own', async () => {
    const base = tempDir()
    const pid = await deadPid()
    const foreign = join(base, String(pid))
    mkdirSync(foreign)
    writeFileSync(join(foreign, 'precious'), '')
    writeFileSync(join(base, `${pid}0000`), '')
    mkdirSync(join(base, 'logs'))
    new RuntimeDir(base)
    expect(readdirSync(base).sort()).toStrictEqual([own, String(pid), `${pid}0000`, 'logs'].sort())
    expect(readdirSync(foreign)).toStrictEqual(['precious'])
  })
})

describe('the directory of a dead master', () => {
  test.each(['EACCES', 'EPERM', 'ENOENT'])(
    'is no obstacle when it is another user’s, or gone meanwhile (%s)',
    async (code) => {
      const base = tempDir()
      masterDir(base, await deadPid())
      const { readdirSync: list } = await vi.importActual<typeof fs>('node:fs')
      // The first is that of the base, the second that of the directory in it.
      vi.mocked(fs.readdirSync).mockImplementationOnce(list as never)
      failNext(vi.mocked(fs.readdirSync), code)
      expect(existsSync(new RuntimeDir(base).path)).toBe(true)
    },
  )

  test('is no obstacle when it cannot be removed', async () => {
    const base = tempDir()
    masterDir(base, await deadPid())
    failNext(vi.mocked(fs.rmSync), 'EACCES')
    expect(existsSync(new RuntimeDir(base).path)).toBe(true)
  })
})

describe('a runtime directory is refused', () => {
  test('when a socket in it would have a path that is too long, before anything is made', () => {
    const base = join(tempDir(), 'x'.repeat(100))
    expect(() => new RuntimeDir(base)).toThrow(
      expect.objectContaining({
        code: 'RUNTIME_DIR',
        message: expect.stringMatching(/runtime_dir .* is too long: .* 107 are allowed/),
      }),
    )
    expect(existsSync(base)).toBe(false)
  })

  test('by its bytes, not its characters, and at exactly the limit', () => {
    const root = tempDir()
    const fixed = Buffer.byteLength(join(root, 'x', own, 'b9999999.sock')) - 1
    const room = 107 - fixed
    const umlauts = 'ü'.repeat(Math.floor(room / 2)) + 'x'.repeat(room % 2)
    expect(() => new RuntimeDir(join(root, `${umlauts}x`))).toThrow(
      expect.objectContaining({ code: 'RUNTIME_DIR' }),
    )
    expect(new RuntimeDir(join(root, umlauts)).path).toContain(umlauts)
  })

  test('when it cannot be made', () => {
    const file = join(tempDir(), 'file')
    writeFileSync(file, '')
    for (const base of [file, join(file, 'below')]) {
      expect(() => new RuntimeDir(base)).toThrow(
        expect.objectContaining({ code: 'RUNTIME_DIR', message: expect.stringContaining(base) }),
      )
    }
  })

  test('when something else has its name', () => {
    const base = tempDir()
    mkdirSync(join(base, own))
    writeFileSync(join(base, own, 'precious'), '')
    expect(() => new RuntimeDir(base)).toThrow(expect.objectContaining({ code: 'RUNTIME_DIR' }))
    expect(readdirSync(join(base, own))).toStrictEqual(['precious'])
  })
})
