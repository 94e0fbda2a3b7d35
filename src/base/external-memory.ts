/**
 * Buffers of media live outside V8's heap, and V8 lets 64 MB of dead ones pile up before it looks: in each of
 * many processes. Whoever makes short-lived buffers notes their size here, and a collection follows in good time.
 * One of the young generation takes less than a millisecond and frees what died young; a full one takes some 10 ms
 * in a small process, and is left to V8 in large ones. Without `--expose-gc` nothing happens.
 */

const minorAfterBytes = 4 * 1024 * 1024
const majorAfterBytes = 32 * 1024 * 1024
const majorAfterDroppedBytes = 8 * 1024 * 1024

let sinceMinor = 0
let sinceMajor = 0
let droppedBytes = 0
let isSmallProcess = false

/** Full collections too, from now on: the process has a small heap, and pauses of some 10 ms do not matter. */
export function collectFully(): void {
  isSmallProcess = true
}

/**
 * Notes that a buffer is about to be made that will be dead soon. Before it is made: one that lives through two
 * collections is found by full ones only.
 */
export function noteBuffer(bytes: number): void {
  sinceMinor += bytes
  if (sinceMinor < minorAfterBytes) return
  sinceMajor += sinceMinor
  sinceMinor = 0
  if (isSmallProcess && sinceMajor >= majorAfterBytes) collectMajor()
  else globalThis.gc?.({ type: 'minor', execution: 'sync' })
}

/** Notes that buffers which were kept for some time are let go: only a full collection finds those. */
export function noteDropped(bytes: number): void {
  droppedBytes += bytes
  if (isSmallProcess && droppedBytes >= majorAfterDroppedBytes) collectMajor()
}

/**
 * Gives a buffer's memory back now, without a collection. Nobody may use the buffer any more: it has length 0. One that
 * shares its memory with others is left to the collector.
 */
export function releaseBuffer(buffer: Buffer): void {
  if (buffer.byteLength === buffer.buffer.byteLength) (buffer.buffer as ArrayBuffer).transfer(0)
}

function collectMajor(): void {
  sinceMinor = 0
  sinceMajor = 0
  droppedBytes = 0
  globalThis.gc?.({ type: 'major', execution: 'sync' })
}
