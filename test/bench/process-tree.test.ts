import { spawn } from 'node:child_process'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  fieldOf,
  parseStat,
  roleOf,
  sampleCpu,
  sampleMemory,
  treeOf,
} from '../../bench/system/process-tree.ts'

describe('/proc/PID/stat', () => {
  test.each([
    ['a plain name', 'node', 7],
    ['a name with spaces and parentheses', 'a ) b (c', 7],
  ])('%s', (_, name, parentPid) => {
    // pid (name) state ppid pgrp session tty tpgid flags minflt cminflt majflt cmajflt utime stime cutime cstime
    const text = `42 (${name}) S ${parentPid} 42 42 0 -1 4194304 100 0 0 0 250 50 30 20 20 0 1 0`
    expect(parseStat(text)).toEqual({ parentPid, cpuSeconds: 3.5 })
  })
})

test('a field of smaps_rollup or status', () => {
  const text = 'Rss:             5120 kB\nPss:             1234 kB\nPss_Anon:         900 kB\n'
  expect(fieldOf(text, 'Pss')).toBe(1234)
  expect(() => fieldOf(text, 'Swap')).toThrow('Swap')
})

test.each([
  ['weir: master', 'master'],
  ['weir: stream 2', 'stream worker'],
  ['weir: back-source live/a +3', 'back-source'],
  ['weir: back-source (spare)', 'back-source'],
  ['nginx: master process nginx -c x', 'master'],
  ['nginx: worker process', 'worker'],
  ['/usr/bin/node app.js ', 'server'],
])('the role of %j is %s', (commandLine, role) => {
  expect(roleOf(commandLine)).toBe(role)
})

test.runIf(process.platform === 'linux')('a process is sampled with its descendants', async () => {
  const parent = spawn(process.execPath, [
    '-e',
    `const { spawn } = require('node:child_process')
     spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] })
       .once('spawn', () => console.log('ready'))`,
  ])
  onTestFinished(() => {
    parent.kill('SIGKILL')
  })
  await new Promise((resolve) => parent.stdout.once('data', resolve))
  const tree = treeOf(parent.pid!)
  expect(tree[0]).toBe(parent.pid)
  expect(tree).toHaveLength(2)
  expect(sampleCpu(parent.pid!).map(({ pid }) => pid)).toEqual(tree)
  for (const { rssBytes, pssBytes } of sampleMemory(parent.pid!)) {
    expect(rssBytes).toBeGreaterThan(1e6)
    expect(pssBytes).toBeLessThanOrEqual(rssBytes)
  }
})
