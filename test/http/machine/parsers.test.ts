import { describe, expect, test } from 'vitest'
import { busyShare, parseCpuTimes } from '../../../src/http/machine/cpu.ts'
import { diskRates, parseBusyMs } from '../../../src/http/machine/disk.ts'
import { MachineMeter } from '../../../src/http/machine/machine-meter.ts'
import { parseMemory } from '../../../src/http/machine/memory.ts'
import { parseNetwork, parseSockets } from '../../../src/http/machine/network.ts'
import { nothingKnownOf, parseProcessStat, statOfProcesses } from '../../../src/http/machine/process-stat.ts'

describe('processors', () => {
  const text = 'cpu  100 2 30 400 5 6 7 8 9 0\ncpu0 1 2 3\nintr 5\n'

  test('/proc/stat', () => {
    expect(parseCpuTimes(text)).toEqual({
      ...{ user: 100, nice: 2, sys: 30, idle: 400, iowait: 5, irq: 6, softirq: 7, steal: 8, guest: 9 },
    })
  })

  test('the share in which they were not idle', () => {
    const before = parseCpuTimes(text)
    expect(busyShare(before, { ...before, user: 130, idle: 410 })).toBe(0.75)
    expect(busyShare(before, before)).toBe(0)
  })
})

test('memory: /proc/meminfo and the sums of SRS', () => {
  const text = [
    'MemTotal:       1000 kB',
    'MemFree:         200 kB',
    'MemAvailable:    700 kB',
    'Buffers:          50 kB',
    'Cached:          350 kB',
    'SwapCached:        7 kB',
    'SwapTotal:       500 kB',
    'SwapFree:        400 kB',
  ]
  expect(parseMemory(text.join('\n'))).toEqual({
    ...{ MemTotal: 1000, MemFree: 200, Buffers: 50, Cached: 350, SwapTotal: 500, SwapFree: 400 },
    ...{ MemActive: 800, RealInUse: 400, NotInUse: 600, percent_ram: 0.4, percent_swap: 0.2 },
  })
})

describe('disks', () => {
  const text = [
    '   8       0 sda 10 0 100 5 20 0 200 6 0 1500 11',
    '   8       1 sda1 1 0 1 1 1 0 1 1 0 7777 1',
    ' 254       0 vda 1 2 3 4 5 6 7 8 9 500 11',
  ].join('\n')

  test('/proc/diskstats: the time in which the chosen ones did something', () => {
    expect(parseBusyMs(text, ['sda'])).toBe(1500)
    expect(parseBusyMs(text, ['sda', 'vda', 'none'])).toBe(2000)
  })

  test('rates', () => {
    const before = { inKbytes: 100, outKbytes: 1000, busyMs: 500 }
    const after = { inKbytes: 300, outKbytes: 1500, busyMs: 1500 }
    expect(diskRates(before, after, 2000)).toEqual({ readKBps: 100, writeKBps: 250, busy: 0.5 })
  })
})

describe('network', () => {
  test('/proc/net/dev: devices with a public address apart from the others', () => {
    const text = [
      'Inter-|   Receive                                                |  Transmit',
      ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs',
      '    lo: 1000 1 0 0 0 0 0 0 1000 1 0 0 0 0 0 0',
      '  eth0:500 5 0 0 0 0 0 0 700 6 0 0 0 0 0 0',
      'wg-very-long:  30 5 0 0 0 0 0 0 40 6 0 0 0 0 0 0',
    ]
    expect(parseNetwork(text.join('\n'), new Set(['eth0']))).toEqual({
      ...{ recvBytes: 500, sendBytes: 700, innerRecvBytes: 1030, innerSendBytes: 1040 },
    })
  })

  test('/proc/net/sockstat and snmp', () => {
    const sockstat = 'sockets: used 90\nTCP: inuse 5 orphan 0 tw 2 alloc 7 mem 1\nUDP: inuse 3 mem 2\n'
    const snmp = 'Ip: a b\nIp: 1 2\nTcp: RtoAlgorithm MaxConn CurrEstab InSegs\nTcp: 1 -1 4 99\n'
    expect(parseSockets(sockstat, snmp)).toEqual({ tcp: 9, established: 4, timeWait: 2, udp: 3 })
    expect(parseSockets('', '')).toEqual({ tcp: 0, established: 0, timeWait: 0, udp: 0 })
  })
})

describe('processes', () => {
  const stat = (pid: number, name: string, utime: number, rss: number): string =>
    `${pid} (${name}) S 1 2 3 0 -1 4194560 10 11 12 13 ${utime} 15 16 17 20 0 7 0 100 1000 ${rss} ` +
    '18446744073709551615 1 2 3 4 5 6 7 8 9 0 0 0 17 1 0 0 30 31 32 0 0 0\n'

  test('/proc/PID/stat, whatever the name is', () => {
    expect(parseProcessStat(stat(42, 'a) S 9 (b', 14, 24))).toMatchObject({
      ...{ pid: 42, comm: '(a) S 9 (b)', state: 'S', ppid: 1, pgrp: 2, flags: 4194560, minflt: 10 },
      ...{ utime: 14, stime: 15, cutime: 16, num_threads: 7, starttime: 100, vsize: 1000, rss: 24 },
      ...{ rsslim: -1, exit_signal: 17, processor: 1, delayacct_blkio_ticks: 30, cguest_time: 32 },
    })
  })

  test.runIf(process.platform === 'linux')('several are added up; the first says who they are', () => {
    const [own, parent] = [statOfProcesses([process.pid])!, statOfProcesses([process.ppid])!]
    const both = statOfProcesses([process.pid, process.ppid, 2 ** 30])!
    expect(both).toMatchObject({ pid: process.pid, ppid: process.ppid, comm: own.comm })
    expect(both.num_threads).toBeGreaterThan(Math.max(own.num_threads, parent.num_threads))
    expect(both.utime).toBeGreaterThanOrEqual(own.utime + parent.utime)
  })

  test('where nothing is known there are zeros', () => {
    expect(Object.keys(nothingKnownOf(5)).toSorted()).toEqual(
      Object.keys(parseProcessStat(stat(1, 'a', 1, 1))).toSorted(),
    )
    expect(statOfProcesses([2 ** 30])).toBeNull()
  })
})

test('a machine is measured', () => {
  const meter = new MachineMeter(['sda'])
  meter.sweep(performance.now() + 6000)
  const facts = meter.read()
  expect(facts.cpus).toBeGreaterThan(0)
  expect(facts.memory.MemTotal).toBeGreaterThan(10_000)
  expect(facts.uptime).toBeGreaterThan(0)
  for (const shareOf of [facts.cpuShare, facts.memory.percent_ram]) {
    expect(shareOf).toBeGreaterThanOrEqual(0)
    expect(shareOf).toBeLessThanOrEqual(1)
  }
})
