import { afterAll, vi } from 'vitest'

// Files run one after the other in a process: a clock that one has stopped, or a function that it watches, is not the next one's.
afterAll(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})
