/**
 * Buffers of media live outside V8's heap, and V8 lets 64 MB of dead ones pile up before it looks: in each of
 * many processes. Whoever makes short-lived buffers notes their size here, and a collection follows in good time.
 * One of the young generation takes less than a millisecond and frees what died young; a full one takes some 10 ms
 * in a small process, and is left to V8 in large ones. Without `--expose-gc` nothing happens.
 */

const minorAfterBytes = 16 * 1024 * 1024
const majorAfterBytes = 32 * 1024 * 1024

let sinceMinor = 0
let sinceMajor = 0
let isSmallProcess = false

/** Full collections too, from now on: the process has a small heap, and pauses of some 10 ms do not matter. */
export function collectFully(): void {
  isSmallProcess = true
}

/** Notes that a buffer was made that will be dead soon. */
export function noteBuffer(bytes: number): void {
  sinceMinor += bytes
  if (sinceMinor < minorAfterBytes) return
  sinceMajor += sinceMinor
  sinceMinor = 0
  if (isSmallProcess && sinceMajor >= majorAfterBytes) {
    sinceMajor = 0
    globalThis.gc?.({ type: 'major', execution: 'sync' })
  } else {
    globalThis.gc?.({ type: 'minor', execution: 'sync' })
  }
}
