import { vi } from 'vitest'

/** Waits until an assertion holds, for as long as a busy machine may need. */
export function eventually(assertion: () => void): Promise<void> {
  return vi.waitFor(assertion, { timeout: 10_000, interval: 10 })
}
