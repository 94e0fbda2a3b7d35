import { expect, test, vi } from 'vitest'
import { monotonicMs } from '../../src/base/clock.ts'
import { ProcessMeter } from '../../src/worker/process-meter.ts'

vi.mock('../../src/base/clock.ts', { spy: true })

/** Keeps the processor busy. */
function burn(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

test('tells what the process costs', () => {
  const before = process.cpuUsage()
  const meter = new ProcessMeter()
  burn(50)
  const facts = meter.read()
  expect(facts.pid).toBe(process.pid)
  expect(facts.rssBytes).toBeGreaterThan(1_000_000)
  expect(facts.uptimeMs).toBeGreaterThan(0)
  expect(facts.cpuMs).toBeGreaterThanOrEqual(Math.round((before.user + before.system) / 1000))
  expect(facts.cpuShare).toBeGreaterThan(0)
})

test('the longest delay of its timer is kept for 5 to 10 seconds', () => {
  vi.useFakeTimers({ toFake: ['setInterval'] })
  let now = 0
  vi.mocked(monotonicMs).mockImplementation(() => now)
  try {
    const meter = new ProcessMeter()
    const pass = (ms: number): void => {
      now += ms
      vi.advanceTimersByTime(1000)
    }
    pass(1000)
    expect(meter.read().eventLoopDelayMs).toBe(0)
    pass(1300)
    for (let second = 0; second < 7; second += 1) {
      expect(meter.read().eventLoopDelayMs).toBe(300)
      pass(1000)
    }
    pass(1000)
    expect(meter.read().eventLoopDelayMs).toBe(0)
  } finally {
    vi.useRealTimers()
    vi.mocked(monotonicMs).mockReset()
  }
})
