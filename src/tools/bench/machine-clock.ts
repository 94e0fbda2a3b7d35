/** `performance.now()` counts from the start of the thread, this from the start of the machine. */
const offsetMs = sinceBootMs() - performance.now()

/**
 * Milliseconds of a clock that all processes and threads of this machine share and that setting the system's time
 * does not move: a time that one process sends can be compared in another.
 */
export function machineMs(): number {
  return offsetMs + performance.now()
}

function sinceBootMs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1e3 + nanoseconds / 1e6
}
