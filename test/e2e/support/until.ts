import { setTimeout as delay } from 'node:timers/promises'

const pollMs = 20

/** How long a condition may take that a test waits for, in milliseconds: long enough for a busy machine. */
export const deadlineMs = 20_000

/**
 * Waits for a condition.
 * @param what names it, for the error
 * @param timeoutMs how long it may take
 * @returns what `check` gave at last
 * @throws Error when the time is over and `check` still gives nothing (undefined, null or false)
 */
export async function until<T>(
  what: string,
  check: () => T | undefined | null | false | Promise<T | undefined | null | false>,
  timeoutMs = deadlineMs,
): Promise<T> {
  const end = performance.now() + timeoutMs
  for (;;) {
    const value = await check()
    if (value !== undefined && value !== null && value !== false) return value
    if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms for ${what}`)
    await delay(pollMs)
  }
}

/** What a promise gives, or an error when it does not come in time. */
export function within<T>(what: string, promise: Promise<T>, timeoutMs = deadlineMs): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`waited ${timeoutMs} ms for ${what}`)), timeoutMs)
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
