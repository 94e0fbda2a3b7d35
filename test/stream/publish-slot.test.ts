import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { monotonicMs } from '../../src/base/clock.ts'
import { PublishSlot } from '../../src/stream/publish-slot.ts'
import type { Publisher } from '../../src/stream/publisher.ts'
import { vhostConfigOf } from '../support/config.ts'

const vhost = vhostConfigOf('publish { firstpkt_timeout 20000; normal_timeout 5000; }')

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function setUp() {
  const publisher = { lastPacketAt: monotonicMs(), started: false, readWaitMs: 0 }
  const slot = new PublishSlot(publisher as Publisher, vhost, 'fmle')
  /** Why the publish is overdue when this much time has gone by. */
  const overdueAfter = (ms: number): string | undefined => {
    vi.advanceTimersByTime(ms)
    return slot.overdue(monotonicMs())?.code
  }
  return { publisher, slot, overdueAfter }
}

describe('a publish is overdue', () => {
  test('when no back-source takes it for twenty seconds', () => {
    const { overdueAfter } = setUp()
    expect(overdueAfter(20_000)).toBeUndefined()
    expect(overdueAfter(1)).toBe('SOURCE_UNAVAILABLE')
  })

  test('when it is granted and its first packet does not come', () => {
    const { slot, overdueAfter } = setUp()
    slot.granted = true
    expect(overdueAfter(20_000)).toBeUndefined()
    expect(overdueAfter(1)).toBe('RTMP_TIMEOUT')
  })

  test('when it fell silent', () => {
    const { publisher, slot, overdueAfter } = setUp()
    slot.granted = true
    publisher.started = true
    expect(overdueAfter(5000)).toBeUndefined()
    publisher.lastPacketAt = monotonicMs()
    expect(overdueAfter(5000)).toBeUndefined()
    expect(overdueAfter(1)).toBe('RTMP_TIMEOUT')
  })

  test('not as long as its socket rests between two reads: it may have sent what nobody has read', () => {
    const { publisher, slot, overdueAfter } = setUp()
    slot.granted = true
    publisher.started = true
    publisher.readWaitMs = 10_000
    expect(overdueAfter(15_000)).toBeUndefined()
    expect(overdueAfter(1)).toBe('RTMP_TIMEOUT')
  })
})
