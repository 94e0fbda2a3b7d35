import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { openLog } from '../../src/base/logger.ts'
import { tempDir } from '../support/temp-dir.ts'

function linesOf(file: string): Record<string, unknown>[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

function messagesOf(file: string): unknown[] {
  return linesOf(file).map(({ msg }) => msg)
}

describe('a log file', () => {
  test('has a JSON line for each message, with the process and the fields of child loggers', async () => {
    const file = join(tempDir(), 'logs', 'weir.log')
    const log = await openLog('stream', { tank: 'file', level: 'info', file })
    log.logger.child({ cid: 'abc' }).info({ port: 1 }, 'accepted')
    log.logger.debug('not at this level')
    log.flush()
    const [line, ...more] = linesOf(file)
    expect(more).toStrictEqual([])
    expect(line).toMatchObject({
      level: 'info',
      role: 'stream',
      pid: process.pid,
      cid: 'abc',
      port: 1,
      msg: 'accepted',
    })
    expect(line?.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  })

  test('is added to, not overwritten', async () => {
    const file = join(tempDir(), 'weir.log')
    for (const message of ['first', 'second']) {
      const log = await openLog('master', { tank: 'file', level: 'info', file })
      log.logger.info(message)
      log.flush()
    }
    expect(messagesOf(file)).toStrictEqual(['first', 'second'])
  })

  test('goes on in a new file after logrotate moved it away', async () => {
    const file = join(tempDir(), 'weir.log')
    const log = await openLog('master', { tank: 'file', level: 'info', file })
    const child = log.logger.child({ cid: 'abc' })
    log.logger.info('before')
    renameSync(file, `${file}.1`)
    child.info('moved')
    log.reopen()
    child.info('after')
    log.flush()
    expect(messagesOf(`${file}.1`)).toStrictEqual(['before', 'moved'])
    expect(messagesOf(file)).toStrictEqual(['after'])
  })

  test('can be exchanged while loggers use it', async () => {
    const directory = tempDir()
    const [first, second] = [join(directory, 'a.log'), join(directory, 'b.log')]
    const log = await openLog('master', { tank: 'file', level: 'info', file: first })
    const child = log.logger.child({ cid: 'abc' })
    child.info('to the first')
    log.apply({ tank: 'file', level: 'info', file: second })
    child.info('to the second')
    log.flush()
    expect(messagesOf(first)).toStrictEqual(['to the first'])
    expect(messagesOf(second)).toStrictEqual(['to the second'])
  })

  test('changes its level for loggers that exist', async () => {
    const file = join(tempDir(), 'weir.log')
    const log = await openLog('master', { tank: 'file', level: 'info', file })
    const child = log.logger.child({ cid: 'abc' })
    log.apply({ tank: 'file', level: 'warn', file })
    child.info('below')
    child.warn('at warn')
    log.apply({ tank: 'file', level: 'debug', file })
    child.debug('at debug')
    log.flush()
    expect(messagesOf(file)).toStrictEqual(['at warn', 'at debug'])
  })

  test('that cannot be opened is an error which names it', async () => {
    const directory = tempDir()
    const opening = openLog('master', { tank: 'file', level: 'info', file: directory })
    await expect(opening).rejects.toMatchObject({
      code: 'LOG_FILE',
      message: expect.stringContaining(directory),
    })
  })

  test('that cannot be opened at a reload leaves the old one in force', async () => {
    const directory = tempDir()
    const file = join(directory, 'weir.log')
    const bad = join(directory, 'taken')
    mkdirSync(bad)
    const log = await openLog('master', { tank: 'file', level: 'info', file })
    expect(() => log.apply({ tank: 'file', level: 'error', file: bad })).toThrow(
      expect.objectContaining({ code: 'LOG_FILE' }),
    )
    log.logger.info('still here')
    log.flush()
    expect(messagesOf(file)).toStrictEqual(['still here'])
  })

  test('that cannot be opened anew stays open, says why, and is opened anew another time', async () => {
    const directory = tempDir()
    const file = join(directory, 'logs', 'weir.log')
    const log = await openLog('master', { tank: 'file', level: 'info', file })
    log.logger.info('before')
    renameSync(join(directory, 'logs'), join(directory, 'moved'))
    writeFileSync(join(directory, 'logs'), '')
    for (let attempt = 0; attempt < 3; attempt += 1) log.reopen()
    log.logger.info('still here')
    const moved = linesOf(join(directory, 'moved', 'weir.log'))
    expect(moved).toMatchObject([
      { msg: 'before' },
      ...Array(3).fill({ level: 'error', code: 'LOG_FILE', msg: expect.stringContaining(file) }),
      { msg: 'still here' },
    ])
    rmSync(join(directory, 'logs'))
    log.reopen()
    log.logger.info('anew')
    log.flush()
    expect(messagesOf(file)).toStrictEqual(['anew'])
    await vi.waitFor(() =>
      expect(openFiles().filter((path) => path.startsWith(directory))).toStrictEqual([file]),
    )
  })
})

/** The files that this process has open. */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      // The descriptor of the reading itself.
      return []
    }
  })
}
