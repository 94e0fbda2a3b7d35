/**
 * Milliseconds of a clock that never jumps: all intervals, time-outs and ages are measured with it, so that
 * setting the system's clock disturbs nothing. Its zero is the start of the process.
 */
export function monotonicMs(): number {
  return performance.now()
}
