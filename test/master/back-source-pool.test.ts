import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { WeirError } from '../../src/base/errors.ts'
import { type BackSource, BackSourcePool, type PoolLimits } from '../../src/master/back-source-pool.ts'
import type { WorkerListener } from '../../src/master/worker-handle.ts'
import { recordingLogger } from '../support/logger.ts'
import { FakeWorker } from './fakes.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A pool whose processes are fakes: the test lets them end. */
function setUp(limits: Partial<PoolLimits> = {}, startsAtOnce = 99) {
  const spawned: FakeWorker[] = []
  const lost: [BackSource, number][] = []
  const messages: unknown[] = []
  const { logger, lines } = recordingLogger()
  let listener: WorkerListener | undefined
  const pool = new BackSourcePool(
    (given) => {
      listener = given
      const worker = new FakeWorker(`b${spawned.length + 1}`)
      spawned.push(worker)
      return worker.handle
    },
    { maxProcesses: 3, spares: 1, ...limits },
    logger,
    {
      onMessage: (backSource, message) => messages.push([backSource, message]),
      onLost: (backSource, waitMs) => lost.push([backSource, waitMs]),
    },
    startsAtOnce,
  )
  const boot = (worker: FakeWorker): void => {
    worker.ready = true
    listener?.onReady(worker.handle, [])
  }
  const end = (worker: FakeWorker): void => {
    worker.exited = true
    listener?.onExit(worker.handle, new WeirError('WORKER_EXIT', `${worker.name} is dead`))
  }
  const say = (worker: FakeWorker, message: Parameters<WorkerListener['onMessage']>[1]): void => {
    listener?.onMessage(worker.handle, message)
  }
  /** The numbers of those that are started. */
  const started = () => spawned.flatMap((worker, index) => (worker.started ? [index + 1] : []))
  return { pool, spawned, lost, messages, lines, boot, end, say, started }
}

describe('spares', () => {
  test('are kept ready: one is taken, another is started', () => {
    const { pool, spawned } = setUp()
    pool.refill()
    expect(spawned.length).toBe(1)
    const taken = pool.acquire()
    expect(taken.worker).toBe(spawned[0]!.handle)
    expect(taken.streams).toBe(1)
    expect(spawned.length).toBe(2)
    pool.refill()
    expect(spawned.length).toBe(2)
  })

  test('are not needed to start with', () => {
    const { pool, spawned } = setUp()
    expect(pool.acquire().worker).toBe(spawned[0]!.handle)
    expect(spawned.length).toBe(2)
  })

  test('can be several, or none', () => {
    const several = setUp({ spares: 2 })
    several.pool.refill()
    expect(several.spawned.length).toBe(2)
    const none = setUp({ spares: 0 })
    none.pool.refill()
    expect(none.spawned.length).toBe(0)
    none.pool.acquire()
    expect(none.spawned.length).toBe(1)
  })

  test('do not go beyond max_processes', () => {
    const { pool, spawned } = setUp({ maxProcesses: 2, spares: 5 })
    pool.acquire()
    pool.acquire()
    expect(spawned.length).toBe(2)
  })

  test('follow other limits at once', () => {
    const { pool, spawned } = setUp()
    pool.refill()
    pool.limits = { maxProcesses: 3, spares: 3 }
    expect(spawned.length).toBe(3)
  })
})

describe('starts', () => {
  test('a spare a moment later: a stream that begins now shall not wait for its boot', () => {
    const { pool, boot, spawned, started } = setUp()
    pool.refill()
    expect(started()).toStrictEqual([])
    vi.advanceTimersByTime(100)
    expect(started()).toStrictEqual([1])
    boot(spawned[0]!)
    pool.acquire()
    expect(started()).toStrictEqual([1])
    vi.advanceTimersByTime(100)
    expect(started()).toStrictEqual([1, 2])
  })

  test('at once what a stream waits for, were it meant as a spare', () => {
    const { pool, started } = setUp()
    pool.refill()
    pool.acquire()
    expect(started()).toStrictEqual([1])
  })

  test('not of what has waited too long: its streams share what has booted, and so do further ones', () => {
    const { pool, boot, end, spawned, lost, lines, started } = setUp({ maxProcesses: 9, spares: 0 }, 1)
    const [first, second, late] = [pool.acquire(), pool.acquire(), pool.acquire()]
    boot(spawned[0]!)
    expect(started()).toStrictEqual([1, 2])
    vi.advanceTimersByTime(4000)
    pool.acquire()
    vi.advanceTimersByTime(1000)
    expect(spawned.map(({ leaving }) => leaving)).toStrictEqual([false, false, true, false])
    expect(lines).toMatchObject([{ level: 40, processes: 4 }])
    end(spawned[2]!)
    expect(lost).toStrictEqual([[late, 0]])
    expect(pool.acquire()).toBe(first)
    boot(spawned[1]!)
    expect(started()).toStrictEqual([1, 2, 4])
    // Nothing waits any more: each further stream has a process of its own again.
    expect(pool.acquire().worker).toBe(spawned[4]!.handle)
    expect([first.streams, second.streams]).toStrictEqual([2, 1])
  })

  test('few at a time, the next one when one has booted or is gone', () => {
    const { pool, boot, end, spawned, started } = setUp({ maxProcesses: 10, spares: 0 }, 2)
    for (let streams = 0; streams < 6; streams += 1) pool.acquire()
    expect(spawned.length).toBe(6)
    expect(started()).toStrictEqual([1, 2])
    boot(spawned[1]!)
    expect(started()).toStrictEqual([1, 2, 3])
    end(spawned[0]!)
    expect(started()).toStrictEqual([1, 2, 3, 4])
    // Gone before its turn.
    end(spawned[4]!)
    boot(spawned[2]!)
    boot(spawned[3]!)
    expect(started()).toStrictEqual([1, 2, 3, 4, 6])
  })

  test('nothing once the pool is closed', () => {
    const { pool, boot, spawned, started } = setUp({}, 1)
    pool.acquire()
    pool.acquire()
    pool.close()
    boot(spawned[0]!)
    vi.advanceTimersByTime(1000)
    expect(started()).toStrictEqual([1])
  })
})

describe('streams', () => {
  test('have a process each up to max_processes, then the one with the fewest', () => {
    const { pool, spawned } = setUp()
    const [first, second, third] = [pool.acquire(), pool.acquire(), pool.acquire()]
    expect(spawned.length).toBe(3)
    expect(new Set([first, second, third]).size).toBe(3)
    const shared = [pool.acquire(), pool.acquire(), pool.acquire()]
    expect(new Set(shared)).toStrictEqual(new Set([first, second, third]))
    expect(spawned.length).toBe(3)
    pool.release(second)
    expect(pool.acquire()).toBe(second)
    expect([first, second, third].map(({ streams }) => streams)).toStrictEqual([2, 2, 2])
  })

  test('do not take the spare when that would be one process too many', () => {
    const { pool, spawned } = setUp({ maxProcesses: 2 })
    const first = pool.acquire()
    expect(spawned.length).toBe(2)
    pool.limits = { maxProcesses: 1, spares: 1 }
    expect(pool.acquire()).toBe(first)
  })

  test('that are gone leave a process which ends, and is replaced as a spare when it has', () => {
    const { pool, spawned, end, lost, lines } = setUp({ maxProcesses: 1 })
    const only = pool.acquire()
    pool.acquire()
    pool.release(only)
    expect(spawned[0]!.take()).toStrictEqual([])
    pool.release(only)
    expect(spawned[0]!.take()).toStrictEqual([{ t: 'stop' }])
    end(spawned[0]!)
    expect(spawned.length).toBe(2)
    expect(pool.workers).toStrictEqual([spawned[1]!.handle])
    expect(lost).toStrictEqual([])
    expect(lines).toStrictEqual([])
  })

  test('that are gone leave a process that is killed when it hangs instead of ending', () => {
    const { pool, spawned, lines, end } = setUp({ spares: 0 })
    pool.release(pool.acquire())
    vi.advanceTimersByTime(9_999)
    expect(spawned[0]!.killed).toBe(false)
    vi.advanceTimersByTime(1)
    expect(spawned[0]!.killed).toBe(true)
    expect(lines).toMatchObject([
      { level: 50, worker: 'b1', msg: 'a back-source did not stop and is killed' },
    ])
    end(spawned[0]!)
    expect(lines.length).toBe(1)
  })

  test('that are gone leave a process that ends in time, and nothing to wait for', () => {
    const { pool, spawned, lines, end } = setUp({ spares: 0 })
    pool.release(pool.acquire())
    end(spawned[0]!)
    expect(vi.getTimerCount()).toBe(0)
    expect(lines).toStrictEqual([])
  })

  test('are not given to a process that ends', () => {
    const { pool, spawned } = setUp()
    pool.release(pool.acquire())
    expect(pool.acquire().worker).not.toBe(spawned[0]!.handle)
  })

  test('are not asked to stop in a process that is dead', () => {
    const { pool, spawned, end } = setUp()
    const taken = pool.acquire()
    end(spawned[0]!)
    pool.release(taken)
    expect(spawned[0]!.take()).toStrictEqual([])
  })
})

describe('a process that ends by itself', () => {
  test('with streams is reported lost, and a spare is there for them', () => {
    const { pool, spawned, end, lost, lines } = setUp()
    const taken = pool.acquire()
    vi.advanceTimersByTime(60_000)
    end(spawned[0]!)
    expect(lost).toStrictEqual([[taken, 0]])
    expect(lines).toMatchObject([{ level: 50, code: 'WORKER_EXIT', reason: 'b1 is dead' }])
    expect(pool.acquire().worker).toBe(spawned[1]!.handle)
  })

  test('as a spare concerns no stream, and is replaced', () => {
    const { pool, spawned, end, lost } = setUp()
    pool.refill()
    end(spawned[0]!)
    expect(lost).toStrictEqual([])
    expect(spawned.length).toBe(2)
  })

  test('again and again is replaced later and later, and its streams wait as long', () => {
    const { pool, spawned, end, lost } = setUp()
    const waits: number[] = []
    for (let crash = 0; crash < 4; crash += 1) {
      const taken = pool.acquire()
      const worker = spawned.find(({ handle }) => handle === taken.worker)!
      end(worker)
      waits.push(lost.at(-1)![1])
      vi.advanceTimersByTime(waits.at(-1)!)
    }
    expect(waits).toStrictEqual([0, 100, 200, 400])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('in such a loop is not replaced before the wait is over', () => {
    const { pool, spawned, end } = setUp()
    pool.refill()
    end(spawned[0]!)
    end(spawned[1]!)
    expect(spawned.length).toBe(2)
    pool.refill()
    expect(spawned.length).toBe(2)
    vi.advanceTimersByTime(100)
    expect(spawned.length).toBe(3)
  })

  test('twice is heard once', () => {
    const { pool, spawned, end, lost } = setUp()
    pool.acquire()
    end(spawned[0]!)
    end(spawned[0]!)
    expect(lost.length).toBe(1)
  })
})

describe('a process that drains', () => {
  test('gives its streams away at once and ends without complaint', () => {
    const { pool, spawned, say, end, lost, lines } = setUp()
    const taken = pool.acquire()
    say(spawned[0]!, { t: 'draining' })
    expect(spawned[0]!.leaving).toBe(true)
    expect(lost).toStrictEqual([[taken, 0]])
    expect(pool.acquire()).not.toBe(taken)
    end(spawned[0]!)
    expect(lines).toStrictEqual([])
  })

  test('is replaced as a spare', () => {
    const { pool, spawned, say } = setUp()
    pool.refill()
    say(spawned[0]!, { t: 'draining' })
    expect(spawned.length).toBe(2)
  })
})

describe('messages', () => {
  test('go to the owner with the process that sent them, but not those of a dead one', () => {
    const { pool, spawned, say, end, messages } = setUp()
    const taken = pool.acquire()
    say(spawned[0]!, { t: 'opened', source: 7 })
    expect(messages).toStrictEqual([[taken, { t: 'opened', source: 7 }]])
    end(spawned[0]!)
    say(spawned[0]!, { t: 'opened', source: 8 })
    expect(messages.length).toBe(1)
  })
})

describe('a closed pool', () => {
  test('starts nothing more and complains about nothing', () => {
    const { pool, spawned, end, lost, lines } = setUp()
    pool.acquire()
    end(spawned[1]!)
    end(spawned[0]!)
    const started = spawned.length
    const complaints = lines.length
    const losses = lost.length
    pool.close()
    vi.advanceTimersByTime(60_000)
    pool.refill()
    for (const worker of spawned) end(worker)
    expect(spawned.length).toBe(started)
    expect(lines.length).toBe(complaints)
    expect(lost.length).toBe(losses)
    expect(vi.getTimerCount()).toBe(0)
  })
})
