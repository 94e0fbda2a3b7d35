import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, onTestFinished } from 'vitest'

/** A fresh directory with a short path (Unix sockets fit), removed when the test has finished. */
export function tempDir(): string {
  const path = mkdtempSync(join(tmpdir(), 'weir-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A directory that all tests of a file share; to be called outside of them. */
export function sharedTempDir(): string {
  const path = mkdtempSync(join(tmpdir(), 'weir-'))
  afterAll(() => rmSync(path, { recursive: true, force: true }))
  return path
}
