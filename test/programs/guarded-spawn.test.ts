import { readFileSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { spawnGuarded } from '../../src/programs/guarded-spawn.ts'

function run(program: string, args: readonly string[], shell?: string) {
  const output: string[] = []
  const onUnguarded = vi.fn()
  const ended = Promise.withResolvers<[number | null, string]>()
  const spawned = spawnGuarded(program, args, {
    onOutput: (bytes) => output.push(bytes.toString()),
    onUnguarded,
    onEnd: (status, how) => ended.resolve([status, how]),
    ...(shell === undefined ? {} : { shell }),
  })
  return { spawned, output, onUnguarded, ended: ended.promise }
}

test.each([
  ['/bin/sh', true],
  ['/no/shell', false],
])('with %s a program is guarded: %s, and is the same in all else', async (shell, guarded) => {
  const { spawned, output, onUnguarded, ended } = run('/bin/echo', ['$HOME', 'a b'], shell)
  expect(spawned.guarded).toBe(guarded)
  expect(spawned.pid).toBeGreaterThan(0)
  expect(await ended).toEqual([0, 'exit status 0'])
  expect(output.join('')).toBe('$HOME a b\n')
  expect(onUnguarded).not.toHaveBeenCalled()
})

test.each(['/bin/sh', '/no/shell'])('with %s a program and what it started can be ended', async (shell) => {
  const { spawned, ended } = run('/bin/sh', ['-c', 'sleep 60 & wait'], shell)
  spawned.signal('SIGKILL')
  expect(await ended).toEqual([null, 'killed by SIGKILL'])
})

test('a program that cannot be started tells why', async () => {
  const { spawned, ended } = run('/no/program', [], '/no/shell')
  expect(spawned.pid).toBe(0)
  expect(await ended).toEqual([null, 'spawn /no/program ENOENT'])
})

test('all that a program has written comes before its end', async () => {
  const { output, ended } = run('/bin/sh', ['-c', 'head -c 1000000 /dev/zero'])
  await ended
  expect(output.join('').length).toBe(1_000_000)
})

test('arguments that no program can be given are refused, and leave no guard behind', () => {
  const children = () => readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')
  const before = children()
  expect(() => run('/bin/echo', ['a\0b'])).toThrow('null bytes')
  return vi.waitFor(() => expect(children()).toBe(before), { timeout: 10_000 })
})
