import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { WeirError } from '../../src/base/errors.ts'
import { WorkerGroup } from '../../src/master/worker-group.ts'
import type { WorkerListener } from '../../src/master/worker-handle.ts'
import { recordingLogger } from '../support/logger.ts'
import { FakeWorker } from './fakes.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const endpoints = ['0.0.0.0:1935']

/** A group whose processes are fakes, named by their place and their turn in it: `2b` is the second in place 2. */
function setUp() {
  const spawned: FakeWorker[] = []
  const lost: string[] = []
  const messages: unknown[] = []
  const { logger, lines } = recordingLogger()
  let listener: WorkerListener | undefined
  const group = new WorkerGroup(
    (index, given) => {
      listener = given
      const turn = spawned.filter(({ name }) => name.startsWith(`${index}`)).length
      const worker = new FakeWorker(`${index}${'abcdefgh'[turn]}`)
      spawned.push(worker)
      return worker.handle
    },
    logger,
    {
      onMessage: (worker, message) => messages.push([worker.name, message]),
      onLost: (worker) => lost.push(worker.name),
    },
  )
  const named = (name: string): FakeWorker => spawned.find((worker) => worker.name === name)!
  const ready = (name: string): void => {
    named(name).ready = true
    listener?.onReady(named(name).handle, endpoints)
  }
  const end = (name: string): void => {
    named(name).exited = true
    listener?.onExit(named(name).handle, new WeirError('WORKER_EXIT', `${name} is dead`))
  }
  const say = (name: string, message: Parameters<WorkerListener['onMessage']>[1]): void => {
    listener?.onMessage(named(name).handle, message)
  }
  const names = (): string[] => spawned.map(({ name }) => name)
  const serving = (): string[] => group.workers.map(({ name }) => name)
  const complaints = () => lines.filter(({ level }) => level >= 50)
  return { group, named, ready, end, say, names, serving, lost, messages, complaints }
}

/** A group of two that has started. */
async function started() {
  const all = setUp()
  const starting = all.group.start(2)
  for (const name of ['1a', '2a']) all.ready(name)
  await starting
  return all
}

describe('the start', () => {
  test('is done when all workers are ready', async () => {
    const { group, ready, names } = setUp()
    let isDone = false
    const starting = group.start(2).then((addresses) => {
      isDone = true
      return addresses
    })
    expect(names()).toStrictEqual(['1a', '2a'])
    ready('2a')
    await Promise.resolve()
    expect(isDone).toBe(false)
    ready('1a')
    expect(await starting).toStrictEqual(endpoints)
  })

  test('of no workers is done at once', async () => {
    const { group, names } = setUp()
    expect(await group.start(0)).toStrictEqual([])
    expect(names()).toStrictEqual([])
    group.resize(1)
    expect(names()).toStrictEqual(['1a'])
  })

  test('fails with the reason of a worker that dies before, and starts no other', async () => {
    const { group, ready, end, names, lost } = setUp()
    const starting = group.start(2)
    ready('1a')
    end('2a')
    await expect(starting).rejects.toMatchObject({ code: 'WORKER_EXIT', message: '2a is dead' })
    end('1a')
    vi.advanceTimersByTime(60_000)
    expect(names()).toStrictEqual(['1a', '2a'])
    expect(lost).toStrictEqual(['2a', '1a'])
  })
})

describe('a worker that ends by itself', () => {
  test('is replaced at once in its place', async () => {
    const { end, names, serving, lost, complaints } = await started()
    end('1a')
    expect(lost).toStrictEqual(['1a'])
    expect(serving()).toStrictEqual(['2a'])
    vi.advanceTimersByTime(0)
    expect(names()).toStrictEqual(['1a', '2a', '1b'])
    expect(serving()).toStrictEqual(['1b', '2a'])
    expect(complaints()).toMatchObject([
      { worker: '1a', code: 'WORKER_EXIT', reason: '1a is dead', waitMs: 0 },
    ])
  })

  test('again and again is replaced later and later, each place for itself', async () => {
    const { end, names } = await started()
    end('1a')
    vi.advanceTimersByTime(0)
    end('1b')
    vi.advanceTimersByTime(99)
    expect(names().at(-1)).toBe('1b')
    end('2a')
    vi.advanceTimersByTime(0)
    expect(names().at(-1)).toBe('2b')
    vi.advanceTimersByTime(1)
    expect(names().at(-1)).toBe('1c')
  })

  test('is no reason to give the server up, though it never got ready', async () => {
    const { group, ready, end, names } = await started()
    group.resize(3)
    end('3a')
    vi.advanceTimersByTime(0)
    ready('3b')
    expect(names()).toStrictEqual(['1a', '2a', '3a', '3b'])
  })
})

describe('a worker that drains', () => {
  test('is replaced at once and serves on beside its replacement', async () => {
    const { say, end, named, names, serving, lost, complaints } = await started()
    say('1a', { t: 'draining' })
    expect(named('1a').leaving).toBe(true)
    expect(names()).toStrictEqual(['1a', '2a', '1b'])
    expect(serving()).toStrictEqual(['1b', '2a', '1a'])
    end('1a')
    vi.advanceTimersByTime(60_000)
    expect(serving()).toStrictEqual(['1b', '2a'])
    expect(lost).toStrictEqual(['1a'])
    expect(names().length).toBe(3)
    expect(complaints()).toStrictEqual([])
  })

  test('says so once more without effect', async () => {
    const { say, ready, named, names } = await started()
    say('1a', { t: 'draining' })
    say('1a', { t: 'draining' })
    expect(names()).toStrictEqual(['1a', '2a', '1b'])
    expect(named('1a').take()).toStrictEqual([])
    ready('1b')
    expect(named('1a').take()).toStrictEqual([{ t: 'drain' }])
  })
})

describe('another size', () => {
  test('that is larger starts workers', async () => {
    const { group, names } = await started()
    group.resize(4)
    expect(names()).toStrictEqual(['1a', '2a', '3a', '4a'])
  })

  test('that is smaller lets the last ones drain; they are not replaced', async () => {
    const { group, named, end, names, serving, lost } = await started()
    group.resize(1)
    expect(named('2a').take()).toStrictEqual([{ t: 'drain' }])
    expect(serving()).toStrictEqual(['1a', '2a'])
    end('2a')
    vi.advanceTimersByTime(60_000)
    expect(serving()).toStrictEqual(['1a'])
    expect(lost).toStrictEqual(['2a'])
    expect(names()).toStrictEqual(['1a', '2a'])
  })

  test('that is smaller gives up a place that waits for its next worker', async () => {
    const { group, end, names } = await started()
    end('2a')
    group.resize(1)
    vi.advanceTimersByTime(60_000)
    expect(names()).toStrictEqual(['1a', '2a'])
  })

  test('there and back gives the place a fresh worker', async () => {
    const { group, names, serving } = await started()
    group.resize(1)
    group.resize(2)
    expect(names()).toStrictEqual(['1a', '2a', '2b'])
    expect(serving()).toStrictEqual(['1a', '2b', '2a'])
  })
})

describe('a closed group', () => {
  test('replaces nothing', async () => {
    const { group, end, say, names, lost, complaints } = await started()
    end('1a')
    const before = complaints().length
    group.close()
    say('2a', { t: 'draining' })
    end('2a')
    group.resize(5)
    vi.advanceTimersByTime(60_000)
    expect(names()).toStrictEqual(['1a', '2a'])
    expect(lost).toStrictEqual(['1a', '2a'])
    expect(complaints().length).toBe(before)
    expect(vi.getTimerCount()).toBe(0)
  })
})

test('messages of workers go to the owner', async () => {
  const { say, messages } = await started()
  say('2a', { t: 'watch', stream: 'a/b/c' })
  expect(messages).toStrictEqual([['2a', { t: 'watch', stream: 'a/b/c' }]])
})
