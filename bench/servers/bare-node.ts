import { existsSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { delay } from '../bench-run.ts'
import { end, start } from '../system/child.ts'
import { sampleMemory } from '../system/process-tree.ts'
import { root } from './weir.ts'

/** V8's options of a back-source. */
const flags = ['--max-semi-space-size=1', '--single-threaded', '--expose-gc']

/** A Unix socket that waits, and nothing else. The heap is tidied up as a back-source does it. */
const program = `process.getBuiltinModule('node:net').createServer().listen(process.argv[1], () => {
  gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })
})`

/**
 * What a process of Node takes that listens at a Unix socket and has nothing to do.
 * @param dir where its files may be
 * @param processes how many run at the same time: what they share is divided among them
 * @returns the mean of their PSS, in MB
 */
export async function bareNodePssMb(dir: string, processes: number): Promise<number> {
  const place = mkdtempSync(join(dir, 'bare-'))
  const sockets = Array.from({ length: processes }, (_, index) => join(place, String(index)))
  const children = sockets.map((path) =>
    start([join(root, 'node_modules/.bin/node'), ...flags, '-e', program, path]),
  )
  try {
    while (!sockets.every((path) => existsSync(path))) await delay(100)
    await delay(1000)
    const samples = children.flatMap(({ pid }) => sampleMemory(pid!))
    return samples.reduce((sum, { pssBytes }) => sum + pssBytes, 0) / 1e6 / processes
  } finally {
    await Promise.all(children.map((child) => end(child)))
  }
}
