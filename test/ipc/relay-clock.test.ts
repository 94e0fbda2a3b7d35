import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { mergeWaitMs, RelayClock, type RelayTarget, relayWaitMs } from '../../src/ipc/relay-clock.ts'
import { audioHeader, interFrame, keyFrame, metadata, sound } from '../support/packets.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function target(): RelayTarget & { flushes: number } {
  return {
    flushes: 0,
    flush() {
      this.flushes += 1
    },
  }
}

describe('how long what streams bring is gathered', () => {
  test.each<[string, Parameters<typeof mergeWaitMs>, number]>([
    ['one stream: not at all', ['auto', 1], 0],
    ['four streams', ['auto', 4], 0],
    ['five streams: 2.5 ms for each', ['auto', 5], 12],
    ['very many streams: at most 250 ms', ['auto', 1000], 250],
    ['as mr_latency says', [350, 1], 350],
    ['in whole milliseconds', [0.5, 1000], 0],
  ])('%s', (_, args, waitMs) => {
    expect(mergeWaitMs(...args)).toBe(waitMs)
  })
})

describe('how long a packet may wait', () => {
  test.each<[string, Parameters<typeof relayWaitMs>, number]>([
    ['video: not at all', [interFrame(0)], 0],
    ['a key frame', [keyFrame(0)], 0],
    ['sound rides along with video', [sound(0)], 40],
    ['a header of the sound does not wait for video', [audioHeader('aac')], 0],
    ['metadata', [metadata('meta')], 0],
  ])('%s', (_, args, waitMs) => {
    expect(relayWaitMs(...args)).toBe(waitMs)
  })
})

describe('the clock', () => {
  test('flushes at the end of the turn what may not wait', () => {
    const clock = new RelayClock()
    const one = target()
    clock.schedule(one, 0)
    clock.schedule(one, 0)
    expect(one.flushes).toBe(0)
    vi.advanceTimersByTime(0)
    expect(one.flushes).toBe(1)
    vi.advanceTimersByTime(1000)
    expect(one.flushes).toBe(1)
  })

  test('flushes when the wait is over', () => {
    const clock = new RelayClock()
    const one = target()
    clock.schedule(one, 40)
    vi.advanceTimersByTime(39)
    expect(one.flushes).toBe(0)
    vi.advanceTimersByTime(1)
    expect(one.flushes).toBe(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('flushes everything that is queued when the first is due', () => {
    const clock = new RelayClock()
    const [late, early] = [target(), target()]
    clock.schedule(late, 100)
    clock.schedule(early, 10)
    vi.advanceTimersByTime(0)
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(10)
    expect([late.flushes, early.flushes]).toStrictEqual([1, 1])
    vi.advanceTimersByTime(1000)
    expect([late.flushes, early.flushes]).toStrictEqual([1, 1])
  })

  test('does not wait longer because more comes', () => {
    const clock = new RelayClock()
    const one = target()
    clock.schedule(one, 40)
    vi.advanceTimersByTime(30)
    clock.schedule(one, 40)
    vi.advanceTimersByTime(10)
    expect(one.flushes).toBe(1)
  })

  test('lets what waits ride along with what may not, and then forgets its timer', () => {
    const clock = new RelayClock()
    const [audio, video] = [target(), target()]
    clock.schedule(audio, 40)
    clock.schedule(video, 0)
    vi.advanceTimersByTime(0)
    expect([audio.flushes, video.flushes]).toStrictEqual([1, 1])
    expect(vi.getTimerCount()).toBe(0)
    clock.schedule(audio, 40)
    vi.advanceTimersByTime(40)
    expect(audio.flushes).toBe(2)
  })

  test('sets no timer for what rides along with the rest of its turn', () => {
    const clock = new RelayClock()
    const setTimer = vi.spyOn(globalThis, 'setTimeout')
    const one = target()
    clock.schedule(one, 40)
    clock.schedule(one, 0)
    clock.schedule(one, 40)
    vi.advanceTimersByTime(0)
    expect(one.flushes).toBe(1)
    vi.advanceTimersByTime(100)
    expect(one.flushes).toBe(1)
    expect(setTimer).not.toHaveBeenCalled()
    setTimer.mockRestore()
  })

  test('takes what is queued during a flush for the next time', () => {
    const clock = new RelayClock()
    const again = target()
    clock.schedule({ flush: () => clock.schedule(again, 0) }, 0)
    vi.runOnlyPendingTimers()
    expect(again.flushes).toBe(0)
    vi.runOnlyPendingTimers()
    expect(again.flushes).toBe(1)
  })

  test('never leaves anything behind, whatever is queued when', () => {
    const clock = new RelayClock()
    const targets = Array.from({ length: 20 }, target)
    for (const [index, one] of targets.entries()) {
      clock.schedule(one, (index * 37) % 90)
      vi.advanceTimersByTime(index % 7)
    }
    vi.advanceTimersByTime(100)
    for (const one of targets) expect(one.flushes).toBe(1)
    expect(vi.getTimerCount()).toBe(0)
  })
})
