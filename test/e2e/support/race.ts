import { expect } from 'vitest'
import { TestPublisher } from './test-publisher.ts'

/** What came of several encoders that wanted one stream at the same moment. */
export interface Race {
  readonly winner: TestPublisher
  /** What the others were told. */
  readonly refusals: readonly string[]
}

/**
 * Publishes at all of these URLs at once, the first one first, and waits for all verdicts. It fails unless exactly one is
 * granted.
 */
export async function raceFor(urls: readonly string[]): Promise<Race> {
  const all = await Promise.allSettled(urls.map((url) => TestPublisher.publish(url)))
  const winners = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const refusals = all.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []))
  expect(winners.length, `${urls.join(', ')}: ${refusals.join(', ')}`).toBe(1)
  return { winner: winners[0]!, refusals }
}
