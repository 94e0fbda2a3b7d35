import { expect, test } from 'vitest'
import { type Gauge, Leftovers } from '../../src/worker/leftovers.ts'

const megabyte = 1024 * 1024

/** A process whose memory is what the test says: some in use, some garbage. */
function setUp() {
  const state = { inUse: 60 * megabyte, garbage: 0, busy: 0, collections: 0 }
  const gauge: Gauge = {
    heldBytes: () => state.inUse + state.garbage,
    busyShare: () => state.busy,
    collect: () => {
      state.garbage = 0
      state.collections += 1
    },
  }
  const leftovers = new Leftovers(gauge)
  /** How many checks it takes until the garbage is gone; null: none of the next 20 does it. */
  const checksUntilGone = (): number | null => {
    for (let checks = 1; checks <= 20; checks += 1) {
      leftovers.check()
      if (state.garbage === 0) return checks
    }
    return null
  }
  return { state, leftovers, checksUntilGone }
}

test('a quiet process collects what a burst left behind, however much that is', () => {
  for (const bytes of [8 * megabyte, 40 * megabyte, 400 * megabyte]) {
    const { state, checksUntilGone } = setUp()
    state.garbage = bytes
    expect(checksUntilGone()).toBe(1)
  }
})

test('what is in use at a check is collected in a minute after its use', () => {
  const { state, leftovers, checksUntilGone } = setUp()
  state.inUse += 40 * megabyte
  for (let checks = 0; checks < 5; checks += 1) leftovers.check()
  expect(state.collections).toBeGreaterThan(0)
  state.inUse -= 40 * megabyte
  state.garbage += 40 * megabyte
  expect(checksUntilGone()).toBeLessThanOrEqual(4)
})

test('memory that stays in use costs a collection every third check at most', () => {
  const { state, leftovers } = setUp()
  state.inUse += 40 * megabyte
  for (let checks = 0; checks < 30; checks += 1) leftovers.check()
  expect(state.collections).toBe(10)
})

test('little, or a busy process, is left to V8', () => {
  const { state, checksUntilGone } = setUp()
  state.garbage = 7 * megabyte
  expect(checksUntilGone()).toBeNull()
  state.garbage = 40 * megabyte
  state.busy = 0.5
  expect(checksUntilGone()).toBeNull()
  state.busy = 0.02
  expect(checksUntilGone()).toBe(1)
})
