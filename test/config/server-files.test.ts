import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readServerFiles } from '../../src/config/server-files.ts'
import { tempDir } from '../support/temp-dir.ts'

function filesOf(text: string): ReturnType<typeof readServerFiles> {
  const path = join(tempDir(), 'weir.conf')
  writeFileSync(path, text)
  return readServerFiles(path)
}

describe('where a server is found', () => {
  test.each<[string, string, { pid: string; runtimeDir: string }]>([
    ['what is not said has its default', '', { pid: 'objs/weir.pid', runtimeDir: 'objs/run' }],
    ['as it is said', 'pid /run/w.pid; runtime_dir /run/w;', { pid: '/run/w.pid', runtimeDir: '/run/w' }],
    [
      'relative paths count from work_dir',
      'work_dir /srv/w; pid ./w.pid; runtime_dir run;',
      { pid: '/srv/w/w.pid', runtimeDir: '/srv/w/run' },
    ],
    [
      'what is wrong elsewhere does not matter',
      'pid /run/w.pid; listen nonsense; max_conections 1; vhost { hls on; }',
      { pid: '/run/w.pid', runtimeDir: 'objs/run' },
    ],
    [
      'a value that is missing or empty is the default',
      'pid; runtime_dir "";',
      { pid: 'objs/weir.pid', runtimeDir: 'objs/run' },
    ],
    ['the first of two holds', 'pid /run/a; pid /run/b;', { pid: '/run/a', runtimeDir: 'objs/run' }],
    [
      'in a section it is something else',
      'dvr { pid /run/a; }',
      { pid: 'objs/weir.pid', runtimeDir: 'objs/run' },
    ],
  ])('%s', (_, text, { pid, runtimeDir }) => {
    expect(filesOf(text)).toStrictEqual({ pid: resolve(pid), runtimeDir: resolve(runtimeDir) })
  })

  test('may be said in an included file', () => {
    const directory = tempDir()
    writeFileSync(join(directory, 'paths.conf'), 'pid /run/w.pid;')
    writeFileSync(join(directory, 'weir.conf'), 'include paths.conf; nonsense;')
    expect(readServerFiles(join(directory, 'weir.conf')).pid).toBe('/run/w.pid')
  })

  test('cannot be read from what is no configuration at all', () => {
    expect(() => filesOf('pid /run/w.pid; vhost {')).toThrow(
      expect.objectContaining({ code: 'CONFIG_SYNTAX' }),
    )
    expect(() => readServerFiles(join(tempDir(), 'none.conf'))).toThrow(
      expect.objectContaining({ code: 'CONFIG_UNREADABLE' }),
    )
  })
})
