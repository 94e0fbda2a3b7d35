import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type ProgramCommand, SupervisedProgram } from '../../src/programs/supervised-program.ts'
import { recordingLogger } from '../support/logger.ts'
import { tempDir } from '../support/temp-dir.ts'

const ownerMain = fileURLToPath(new URL('../support/program-owner.ts', import.meta.url))
const waitOptions = { timeout: 10_000, interval: 10 }

function program(command: Partial<ProgramCommand> & { args: readonly string[] }) {
  const { logger, lines } = recordingLogger()
  const supervised = new SupervisedProgram({ programs: ['sh'], logFile: null, ...command }, logger)
  onTestFinished(() => supervised.stop())
  return { supervised, lines }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // One that nobody has waited for is dead.
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** Waits until a file has been written, and returns what is in it. */
function written(file: string): Promise<string> {
  return vi.waitFor(() => {
    const text = readFileSync(file, 'utf8')
    expect(text).toMatch(/\n$/)
    return text.trim()
  }, waitOptions)
}

test('runs a program until it is stopped', async () => {
  const { supervised } = program({ programs: ['sleep'], args: ['60'] })
  supervised.start()
  const { pid, ...rest } = supervised.state
  expect(rest).toMatchObject({ state: 'running', restarts: 0, lastError: '' })
  expect(isAlive(pid)).toBe(true)
  await supervised.stop()
  expect(isAlive(pid)).toBe(false)
  expect(supervised.state).toEqual({ state: 'stopped', pid: 0, restarts: 0, lastError: '', upMs: 0 })
})

test('gives it each argument as it is', async () => {
  const file = join(tempDir(), 'arguments')
  const hostile = [
    '-f',
    '$(touch x)',
    'a b',
    '..',
    '`id`',
    '; exit 3',
    '*',
    '',
    "it's",
    '"',
    '\\',
    '\n',
    '--',
  ]
  const script = 'for argument in "$@"; do printf "[%s]" "$argument"; done; echo; sleep 60'
  const { supervised } = program({ args: ['-c', script, 'sh', ...hostile], logFile: file })
  supervised.start()
  expect(await written(file)).toBe(hostile.map((argument) => `[${argument}]`).join(''))
})

test('adds to the environment, and keeps from it what is for Weir alone', async () => {
  const file = join(tempDir(), 'environment')
  vi.stubEnv('MALLOC_ARENA_MAX', '1')
  vi.stubEnv('OF_THE_SERVER', 'inherited')
  onTestFinished(() => void vi.unstubAllEnvs())
  const script = 'echo "$WEIR_STREAM/$OF_THE_SERVER/$MALLOC_ARENA_MAX"; sleep 60'
  const { supervised } = program({ args: ['-c', script], env: { WEIR_STREAM: '$(x)' }, logFile: file })
  supervised.start()
  expect(await written(file)).toBe('$(x)/inherited/')
})

test('starts it again when it fails, later and later, and tells its last words', async () => {
  const { supervised, lines } = program({
    args: ['-c', 'echo first; printf "\\033[31mno such codec\\n\\n" >&2; exit 8'],
  })
  supervised.start()
  await vi.waitFor(() => expect(supervised.state.restarts).toBeGreaterThan(2), waitOptions)
  expect(supervised.state.lastError).toBe('exit status 8:  [31mno such codec')
  const waits = lines.filter(({ code }) => code === 'PROGRAM_EXIT').map(({ waitMs }) => waitMs)
  expect(waits.slice(0, 3)).toEqual([0, 100, 200])
})

test('starts it again when it ends in good order, but not at once', async () => {
  const { supervised, lines } = program({ programs: ['true'], args: [] })
  supervised.start()
  await vi.waitFor(() => expect(supervised.state.state).toBe('waiting'), waitOptions)
  expect(supervised.state).toMatchObject({ restarts: 0, lastError: '' })
  const ended = lines.find(({ msg }) => msg.startsWith('program: ended in good order'))
  expect(ended?.waitMs).toBeGreaterThan(1000)
  await supervised.stop()
  expect(supervised.state.state).toBe('stopped')
})

test('a program that does not exist is looked for again', async () => {
  const { supervised, lines } = program({ programs: ['./no/such', 'no-such-program'], args: [] })
  supervised.start()
  expect(supervised.state).toMatchObject({
    state: 'waiting',
    lastError: 'there is no program ./no/such or no-such-program',
  })
  expect(lines.at(-1)).toMatchObject({ code: 'PROGRAM_MISSING' })
})

test('the first program that exists is run', async () => {
  const { supervised, lines } = program({ programs: ['./no/such', 'sleep'], args: ['60'] })
  supervised.start()
  expect(lines.at(-1)?.program).toMatch(/\/sleep$/)
})

test('kills one that does not end when it is told to', async () => {
  const file = join(tempDir(), 'ready')
  const { supervised, lines } = program({
    args: ['-c', 'trap "" TERM; echo ready; while :; do sleep 1; done'],
    logFile: file,
  })
  supervised.start()
  const { pid } = supervised.state
  await written(file)
  await supervised.stop()
  expect(isAlive(pid)).toBe(false)
  expect(lines.map(({ msg }) => msg)).toContain('a program did not end when it was told to, and is killed')
})

test('one that is started while it ends is started when it has ended', async () => {
  const { supervised } = program({ programs: ['sleep'], args: ['60'] })
  supervised.start()
  const { pid } = supervised.state
  const stopped = supervised.stop()
  supervised.start()
  expect(supervised.state.state).toBe('stopping')
  await stopped
  await vi.waitFor(() => expect(supervised.state.state).toBe('running'), waitOptions)
  expect(isAlive(pid)).toBe(false)
  expect(supervised.state.pid).not.toBe(pid)
})

test('what it has started ends with it, however it ends', async () => {
  const file = join(tempDir(), 'child')
  const { supervised } = program({ args: ['-c', 'sleep 60 & echo $!; exit 1'], logFile: file })
  supervised.start()
  const child = Number((await written(file)).split('\n')[0])
  await supervised.stop()
  await vi.waitFor(() => expect(isAlive(child)).toBe(false), waitOptions)
})

test('a log that cannot be written is told once', async () => {
  const dir = tempDir()
  writeFileSync(join(dir, 'file'), '')
  const script = 'echo 1; sleep 0.1; echo 2; sleep 0.1; echo 3; exit 9'
  const { supervised, lines } = program({ args: ['-c', script], logFile: join(dir, 'file/x.log') })
  supervised.start()
  await vi.waitFor(() => expect(supervised.state.lastError).toBe('exit status 9: 3'), waitOptions)
  expect(lines.filter(({ code }) => code === 'ENOTDIR' || code === 'EEXIST')).toHaveLength(1)
})

test.each(['SIGKILL', 'SIGTERM'] as const)('ends when its owner ends by %s', async (signal) => {
  const owner = spawn(process.execPath, [ownerMain, 'sleep', '60'], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void owner.kill('SIGKILL'))
  const pid = Number(String((await once(owner.stdout, 'data'))[0]))
  expect(isAlive(pid)).toBe(true)
  owner.kill(signal)
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), waitOptions)
})

test('is ended and started again when its guard is killed', async () => {
  const { supervised, lines } = program({ programs: ['sleep'], args: ['60'] })
  supervised.start()
  const { pid } = supervised.state
  const guards = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ').map(Number)
  const guard = guards.find((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('weir-guard'))
  process.kill(guard!, 'SIGKILL')
  await vi.waitFor(() => expect(supervised.state.restarts).toBe(1), waitOptions)
  expect(isAlive(pid)).toBe(false)
  expect(lines.map(({ msg }) => msg)).toContain('program: its guard ended, and it is ended too')
})
