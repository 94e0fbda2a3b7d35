import { describe, expect, test } from 'vitest'
import type { FromMaster } from '../../src/ipc/contract.ts'
import type { HookVisit } from '../../src/ipc/hook-facts.ts'
import { VisitLedger } from '../../src/master/visit-ledger.ts'
import type { WorkerHandle } from '../../src/master/worker-handle.ts'
import { recordingLogger } from '../support/logger.ts'

/** A worker as the ledger sees it. */
class Worker {
  readonly name: string
  readonly pid = 1
  ready = true
  leaving = false
  exited = false
  reachable = true
  readonly told: string[] = []

  constructor(name: string) {
    this.name = name
  }

  get handle(): WorkerHandle {
    return this as unknown as WorkerHandle
  }

  send(message: FromMaster): void {
    if (message.t === 'tell-visits') this.told.push(...message.visits.map(({ id }) => id))
  }
}

function visit(id: string): HookVisit {
  return {
    id,
    action: 'on_close',
    clientId: id,
    ip: '',
    vhost: 'v',
    app: 'live',
    stream: '',
    param: '',
    facts: {},
  }
}

function setUp(...names: string[]) {
  const workers = names.map((name) => new Worker(name))
  const { logger, lines } = recordingLogger()
  const ledger = new VisitLedger(logger, () => workers.map(({ handle }) => handle))
  return {
    ...{ ledger, lines, workers },
    began: (worker: Worker, ...ids: string[]) => {
      for (const id of ids) ledger.onMessage(worker.handle, { t: 'visit-began', visit: visit(id) })
    },
    ended: (worker: Worker, ...ids: string[]) => {
      for (const id of ids) ledger.onMessage(worker.handle, { t: 'visit-ended', id })
    },
    lost: (worker: Worker) => {
      worker.exited = true
      worker.reachable = false
      workers.splice(workers.indexOf(worker), 1)
      ledger.onWorkerLost(worker.handle)
    },
  }
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, number) => `v${number}`)

describe('the ledger', () => {
  test('forgets what its worker has told', () => {
    const { ledger, began, ended, lost, workers } = setUp('one', 'two')
    const [one, two] = workers as [Worker, Worker]
    began(one, 'a', 'b')
    expect(ledger.size).toBe(2)
    ended(one, 'a')
    lost(one)
    expect(two.told).toStrictEqual(['b'])
    ended(two, 'b')
    expect(ledger.size).toBe(0)
  })

  test('ends what a client did before its connection', () => {
    const { began, lost, workers } = setUp('one', 'two')
    const [one, two] = workers as [Worker, Worker]
    began(one, 'connection', 'play')
    lost(one)
    expect(two.told).toStrictEqual(['play', 'connection'])
  })

  test('does not take the word of one worker for another', () => {
    const { began, ended, lost, workers } = setUp('one', 'two')
    const [one, two] = workers as [Worker, Worker]
    began(one, 'a')
    ended(two, 'a')
    lost(one)
    expect(two.told).toStrictEqual(['a'])
  })

  test('hands on what was handed over, when that worker dies too', () => {
    const { began, lost, workers } = setUp('one', 'two', 'three')
    const [one, two, three] = workers as [Worker, Worker, Worker]
    began(one, 'a')
    began(two, 'b')
    lost(one)
    lost(two)
    expect(three.told.toSorted()).toStrictEqual(['a', 'b'])
  })

  test('waits for a worker that can tell', () => {
    const { ledger, began, lost, workers } = setUp('one', 'two', 'three')
    const [one, two, three] = workers as [Worker, Worker, Worker]
    two.ready = false
    three.leaving = true
    began(one, 'a')
    lost(one)
    expect([two.told, three.told]).toStrictEqual([[], []])
    expect(ledger.size).toBe(1)
    two.ready = true
    ledger.onWorkerReady()
    ledger.onWorkerReady()
    expect(two.told).toStrictEqual(['a'])
  })

  test('hears the last words of a worker that is gone', () => {
    const { began, lost, workers } = setUp('one', 'two')
    const [one, two] = workers as [Worker, Worker]
    lost(one)
    began(one, 'late')
    expect(two.told).toStrictEqual(['late'])
  })

  test('hands over no more than a worker can tell in a while', () => {
    const { began, ended, lost, workers } = setUp('one', 'two')
    const [one, two] = workers as [Worker, Worker]
    began(one, ...numbered(1000))
    lost(one)
    expect(two.told).toHaveLength(256)
    ended(two, ...two.told.slice(0, 127))
    expect(two.told).toHaveLength(256)
    ended(two, two.told[127]!)
    expect(two.told).toHaveLength(256 + 128)
    for (let done = 128; done < two.told.length; done += 1) ended(two, two.told[done]!)
    expect(new Set(two.told)).toStrictEqual(new Set(numbered(1000)))
    expect(two.told).toHaveLength(1000)
  })

  test('says at the end what nobody was told of', () => {
    const { ledger, began, lines, workers } = setUp('one')
    ledger.close()
    expect(lines).toStrictEqual([])
    began(workers[0]!, 'a')
    ledger.close()
    expect(lines).toMatchObject([{ code: 'HOOK_DROPPED', left: 1 }])
    expect(ledger.size).toBe(0)
  })
})
