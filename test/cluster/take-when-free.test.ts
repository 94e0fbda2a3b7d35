import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { StreamOwner } from '../../src/cluster/owner.ts'
import { type Claimed, takeWhenFree } from '../../src/cluster/take-when-free.ts'

const owner: StreamOwner = { node: 'b', rtmp: 'rtmp://b', http: '' }
const leaseMs = 6000

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Asks with these answers, one after the other, about an owner that accepts connections unless said otherwise. */
function ask(
  answers: Omit<Claimed, 'leaseMs'>[],
  { isWanted = true, isReached = true }: { isWanted?: boolean; isReached?: boolean } = {},
) {
  let asked = 0
  const result = takeWhenFree({
    claim: async (): Promise<Claimed> => ({ ...answers[asked++]!, leaseMs }),
    isWanted: () => isWanted,
    reaches: async () => isReached,
  })
  return { result, asked: () => asked }
}

test.each<[what: string, leftMs: number]>([
  ['whose lease is young', 4500],
  ['whose lease never ends', -1],
])('a stream of a node %s is refused at once', async (_, leftMs) => {
  const { result, asked } = ask([{ owner, leftMs }])
  expect(await result).toStrictEqual(owner)
  expect(asked()).toBe(1)
})

test('a free stream is taken at once', async () => {
  expect(await ask([{ owner: null, leftMs: 0 }]).result).toBeNull()
})

test('a stream of a node whose lease is overdue is taken when it ends', async () => {
  const { result } = ask([
    { owner, leftMs: 300 },
    { owner, leftMs: 100 },
    { owner: null, leftMs: 0 },
  ])
  await vi.advanceTimersByTimeAsync(300)
  expect(await result).toBeNull()
})

test('and refused when the lease is renewed after all', async () => {
  const { result } = ask([
    { owner, leftMs: 3000 },
    { owner, leftMs: 6000 },
  ])
  await vi.advanceTimersByTimeAsync(200)
  expect(await result).toStrictEqual(owner)
})

test('a stream of a node that accepts no connections is taken when its lease ends, however young that is', async () => {
  const { result } = ask(
    [
      { owner, leftMs: 5900 },
      { owner, leftMs: 5700 },
      { owner: null, leftMs: 0 },
    ],
    { isReached: false },
  )
  await vi.advanceTimersByTimeAsync(400)
  expect(await result).toBeNull()
})

test('and refused when that one renews it: it is about to end, and has its encoder', async () => {
  const { result } = ask(
    [
      { owner, leftMs: 4500 },
      { owner, leftMs: 4300 },
      { owner, leftMs: 5900 },
    ],
    { isReached: false },
  )
  await vi.advanceTimersByTimeAsync(400)
  expect(await result).toStrictEqual(owner)
})

test('nobody waits for a lease that is far from its end, or when nobody wants the stream any more', async () => {
  expect(await ask([{ owner, leftMs: 20_000 }], { isReached: false }).result).toStrictEqual(owner)
  expect(await ask([{ owner, leftMs: 300 }], { isWanted: false }).result).toStrictEqual(owner)
})

test('nobody waits for ever', async () => {
  const always = ask(Array.from({ length: 100 }, () => ({ owner, leftMs: 300 })))
  await vi.advanceTimersByTimeAsync(10_000)
  expect(await always.result).toStrictEqual(owner)
})
