import { mkdirSync, readdirSync, readlinkSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { RamDir } from '../../src/master/ram-dir.ts'
import { configOf } from '../support/config.ts'
import { recordingLogger } from '../support/logger.ts'
import { deadPid, livingPid } from '../support/processes.ts'
import { tempDir } from '../support/temp-dir.ts'

vi.mock('node:fs', { spy: true })

const wanting = configOf('vhost __defaultVhost__ { hls { enabled on; hls_storage ram; } }')
const pids = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))![0]

function setUp(base = tempDir()) {
  const { logger, lines } = recordingLogger()
  return { base, lines, ram: new RamDir(base, logger) }
}

const pathIn = (ram: RamDir): string =>
  dirname(ram.place(wanting).vhosts.__defaultVhost__?.hls.hlsPath as string)

describe('the directory in memory', () => {
  test('is made when something is to be in it, for this user only', () => {
    const { base, ram } = setUp()
    const plain = configOf()
    expect(ram.place(plain)).toBe(plain)
    expect(readdirSync(base)).toEqual([])
    const path = pathIn(ram)
    expect(dirname(path)).toBe(base)
    expect(statSync(path).mode & 0o777).toBe(0o700)
    expect(pathIn(ram)).toBe(path)
  })

  test('goes with what is in it', () => {
    const { base, ram } = setUp()
    writeFileSync(join(pathIn(ram), 'x.ts'), '')
    ram.remove()
    expect(readdirSync(base)).toEqual([])
    ram.remove()
  })

  test('that a killed server left is removed at the next start, and no other', async () => {
    const base = tempDir()
    const [dead, living] = [await deadPid(), await livingPid()]
    const left = [`weir-${pids}-${dead}-abcdef`, `weir-${pids}-${process.pid}-abcdef`]
    const others = [`weir-${pids}-${living}-abcdef`, `weir-1-${dead}-abcdef`, `weir-${pids}-${dead}`, 'x']
    for (const name of [...left, ...others]) mkdirSync(join(base, name, 'live'), { recursive: true })
    setUp(base)
    expect(readdirSync(base).sort()).toEqual(others.sort())
  })

  test.each([
    [0x01021994, 'memory', 0],
    [0xef53, 'a disk', 1],
  ])('on a file system of type %i, which is %s, has %i warnings', (type, _, warnings) => {
    vi.mocked(statfsSync).mockReturnValueOnce({ type } as ReturnType<typeof statfsSync>)
    const { ram, lines } = setUp()
    pathIn(ram)
    expect(lines.filter(({ code }) => code === 'RAM_DIR')).toHaveLength(warnings)
  })

  test('that cannot be made is an error', () => {
    const { ram } = setUp(join(tempDir(), 'absent'))
    expect(() => pathIn(ram)).toThrow(expect.objectContaining({ code: 'RAM_DIR' }))
  })
})
