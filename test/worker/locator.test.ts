import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ToMaster } from '../../src/ipc/contract.ts'
import { Locator } from '../../src/worker/locator.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('each answer goes to who has asked', async () => {
  const sent: ToMaster[] = []
  const locator = new Locator((message) => sent.push(message))
  const [x, y] = [locator.locate('v/a/x'), locator.locate('v/a/y')]
  expect(sent).toStrictEqual([
    { t: 'locate', request: 1, stream: 'v/a/x' },
    { t: 'locate', request: 2, stream: 'v/a/y' },
  ])
  const place = { node: 'b', rtmp: 'rtmp://b', http: 'http://b' }
  locator.onLocated({ t: 'located', request: 2, ...place })
  locator.onLocated({ t: 'located', request: 1, node: '', rtmp: '', http: '' })
  locator.onLocated({ t: 'located', request: 2, ...place })
  expect(await x).toStrictEqual({ node: '', rtmp: '', http: '' })
  expect(await y).toStrictEqual(place)
  expect(vi.getTimerCount()).toBe(0)
})

test('a master that does not answer knows no other node', async () => {
  const locator = new Locator(() => {})
  const place = locator.locate('v/a/x')
  vi.advanceTimersByTime(3000)
  expect(await place).toStrictEqual({ node: '', rtmp: '', http: '' })
})
