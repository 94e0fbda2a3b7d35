import { expect, test } from 'vitest'
import { encodeAnswer } from '../../src/ipc/answer-codec.ts'
import type { StreamInfo } from '../../src/ipc/contract.ts'
import { inquire } from '../../src/master/inquiry.ts'
import type { SourceEntry } from '../../src/master/source-entry.ts'
import { ToldBytes } from '../../src/master/told-bytes.ts'
import type { WorkerHandle } from '../../src/master/worker-handle.ts'
import { FakeWorker } from './fakes.ts'

const nobody = { publishers: 0, players: {}, streams: 0, sendKbps: 0, recvKbps: 0 }

const [one, two] = [new FakeWorker('one').handle, new FakeWorker('two').handle]

function setUp() {
  const told = new ToldBytes()
  const entry = { sentBytes: 5, number: 7, received: null, host: { worker: one } } as SourceEntry
  const sources = new Map([['a/b/c', entry]])
  const traffic = (worker: WorkerHandle, vhost: string, sendBytes: number, recvBytes: number) =>
    told.onAnswer(
      worker,
      { ask: 'traffic' },
      encodeAnswer({
        of: 'traffic',
        traffic: [{ ...nobody, publishers: 3, sendKbps: 9, vhost, sendBytes, recvBytes }],
      }),
    )
  const audience = (worker: WorkerHandle, stream: string, sendBytes: number) =>
    told.onAnswer(
      worker,
      { ask: 'audience', streams: null },
      encodeAnswer({
        of: 'audience',
        audience: [{ stream, publishers: 0, players: {}, sendBytes, sendKbps: 0 }],
      }),
    )
  const received = (worker: WorkerHandle, streams: readonly Partial<StreamInfo>[], total = streams.length) =>
    told.onAnswer(
      worker,
      { ask: 'streams', start: 0, count: 10 },
      encodeAnswer({ of: 'streams', streams: streams as StreamInfo[], total }),
    )
  const lose = (worker: WorkerHandle) => told.onBackSourceLost(worker, sources)
  return {
    told,
    entry,
    traffic,
    audience,
    received,
    lose,
    end: (worker: WorkerHandle) => told.onExit(worker, sources),
  }
}

test('what a worker told last of its virtual hosts is there when it has ended, without its clients', () => {
  const { told, traffic, end } = setUp()
  traffic(one, 'v', 10, 1)
  traffic(one, 'v', 30, 2)
  traffic(two, 'v', 100, 7)
  expect(told.traffic()).toStrictEqual([])
  end(one)
  expect(told.traffic()).toStrictEqual([{ vhost: 'v', ...nobody, sendBytes: 30, recvBytes: 2 }])
  end(two)
  end(two)
  expect(told.traffic()).toStrictEqual([{ vhost: 'v', ...nobody, sendBytes: 130, recvBytes: 9 }])
})

test('what it told of a stream goes to the stream, unless it has let it go: then that was counted', () => {
  const { entry, audience, end, told } = setUp()
  audience(one, 'a/b/c', 10)
  audience(one, 'a/b/gone', 11)
  audience(two, 'a/b/c', 100)
  told.onUnwatch(two, 'a/b/c')
  end(one)
  end(two)
  expect(entry.sentBytes).toBe(15)
})

test('a worker that ends while others are asked is not counted twice', async () => {
  const { told, end } = setUp()
  const answer = encodeAnswer({
    of: 'traffic',
    traffic: [{ ...nobody, vhost: 'v', sendBytes: 40, recvBytes: 4 }],
  })
  const dying = { role: 'stream', index: 1, pid: 1, ready: true, exited: false, ask: async () => answer }
  const slow = {
    ...{ role: 'stream', index: 2, pid: 2, ready: true, exited: false },
    ask: async () => {
      await new Promise((resolve) => setImmediate(resolve))
      dying.exited = true
      end(dying as unknown as WorkerHandle)
      return answer
    },
  }
  const question = { ask: 'traffic' } as const
  const workers = [dying, slow] as unknown as WorkerHandle[]
  const answers = await inquire(workers, question, null, (worker, own) =>
    told.onAnswer(worker, question, own),
  )
  expect(answers.map((one) => one.answer !== null)).toStrictEqual([false, true])
  expect(told.traffic()).toMatchObject([{ vhost: 'v', sendBytes: 40 }])
})

test('what a back-source told of its streams goes with them to the next one, and of other streams nothing', () => {
  const { entry, received, lose } = setUp()
  received(one, [{ source: 7, recvBytes: 100, frames: 10 }])
  received(one, [{ source: 7, recvBytes: 300, frames: 30 }])
  received(two, [{ source: 7, recvBytes: 9000, frames: 900 }])
  lose(two)
  expect(entry.received).toBeNull()
  lose(one)
  expect(entry.received).toStrictEqual({ recvBytes: 300, frames: 30 })
  // It was told nothing of since it has the stream.
  entry.host = { worker: two } as SourceEntry['host']
  received(two, [{ source: 8, recvBytes: 1, frames: 1 }])
  lose(two)
  expect(entry.received).toStrictEqual({ recvBytes: 300, frames: 30 })
})

test('of a page of streams the others are not forgotten', () => {
  const { entry, received, lose } = setUp()
  received(one, [{ source: 7, recvBytes: 100, frames: 10 }])
  received(one, [{ source: 8, recvBytes: 5, frames: 1 }], 2)
  lose(one)
  expect(entry.received).toStrictEqual({ recvBytes: 100, frames: 10 })
})
