import type { PulledStream } from './pulled-stream.ts'

/** How long the master and a back-source may take to say whether a stream is published, in milliseconds. */
const lookupMs = 2000

/** Whether a stream is published now: waits until that is known. */
export async function isLive(pulled: PulledStream, signal?: AbortSignal): Promise<boolean> {
  await waitFor(pulled, ({ presence }) => presence !== 'unknown', lookupMs, signal)
  return pulled.presence === 'live'
}

/**
 * Waits until something holds of a stream: that it is published, that it has video. The stream is kept meanwhile.
 * @param timeoutMs how long at most; 0: it holds now or not
 * @param signal ends the waiting early: whoever waited is gone
 * @returns whether it holds
 */
export function waitFor(
  pulled: PulledStream,
  holds: (pulled: PulledStream) => boolean,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  if (holds(pulled) || timeoutMs <= 0 || signal?.aborted) return Promise.resolve(holds(pulled))
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer)
      stopObserving()
      signal?.removeEventListener('abort', finish)
      resolve(holds(pulled))
    }
    const timer = setTimeout(finish, timeoutMs)
    const stopObserving = pulled.observe(() => {
      if (holds(pulled)) finish()
    })
    signal?.addEventListener('abort', finish)
  })
}
