import { expect, test } from 'vitest'
import { SharedInquiries } from '../../src/http/shared-inquiries.ts'

/** Inquiries that are answered when the test says so. */
function setUp() {
  const shared = new SharedInquiries<number>()
  const begun: PromiseWithResolvers<number>[] = []
  const ask = (kind = 'a') =>
    shared.ask(kind, () => {
      const inquiry = Promise.withResolvers<number>()
      begun.push(inquiry)
      return inquiry.promise
    })
  return { ask, begun }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('who asks while one is under way shares the next, which begins when that is done', async () => {
  const { ask, begun } = setUp()
  const [first, second, third] = [ask(), ask(), ask()]
  expect(begun.length).toBe(1)
  begun[0]!.resolve(1)
  expect(await first).toBe(1)
  await turn()
  expect(begun.length).toBe(2)
  begun[1]!.resolve(2)
  expect(await Promise.all([second, third])).toEqual([2, 2])
  await turn()
  expect(begun.length).toBe(2)
})

test('who asks while the next is under way gets another one', async () => {
  const { ask, begun } = setUp()
  ask()
  const second = ask()
  begun[0]!.resolve(1)
  await turn()
  const third = ask()
  begun[1]!.resolve(2)
  expect(await second).toBe(2)
  await turn()
  begun[2]!.resolve(3)
  expect(await third).toBe(3)
})

test('nobody shares what was asked before, when nothing is under way', async () => {
  const { ask, begun } = setUp()
  const first = ask()
  begun[0]!.resolve(1)
  await first
  await turn()
  const second = ask()
  begun[1]!.resolve(2)
  expect(await second).toBe(2)
})

test('different questions do not wait for each other', () => {
  const { ask, begun } = setUp()
  ask('a')
  ask('b')
  expect(begun.length).toBe(2)
})

test('a failure is told to those who asked for that one, and not to those after them', async () => {
  const { ask, begun } = setUp()
  const [first, second] = [ask(), ask()]
  begun[0]!.reject(new Error('silent'))
  await expect(first).rejects.toThrow('silent')
  await turn()
  begun[1]!.resolve(2)
  expect(await second).toBe(2)
})
