import type { Dirent } from 'node:fs'
import { opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from '../base/errors.ts'
import { isRecordingName, parseUnfinished, withoutNumber } from './names.ts'

/** Directories within directories that are looked through. */
const maxDepth = 16

/** Entries that are looked at: a directory of recordings is not the root of a disk. */
const maxEntries = 500_000

/** A file that is a recording by its name. */
export interface FoundFile {
  /** Path of the file. */
  readonly path: string
  /** What it is to be called when it is whole, and who writes it; null: it is whole. */
  readonly unfinished: { readonly path: string; readonly tag: string } | null
}

/** All files below a directory that are recordings by their names, finished or not. */
export function findAll(root: string): AsyncGenerator<FoundFile> {
  return findBelow(root, 0, { entries: maxEntries })
}

async function* findBelow(root: string, depth: number, left: { entries: number }): AsyncGenerator<FoundFile> {
  for await (const entry of entriesOf(root)) {
    left.entries -= 1
    if (left.entries < 0) return
    const path = join(root, entry.name)
    if (entry.isDirectory()) {
      if (depth < maxDepth && !entry.name.startsWith('.')) yield* findBelow(path, depth + 1, left)
    } else if (entry.isFile()) {
      const found = foundFile(path)
      if (found !== null) yield found
    }
  }
}

/**
 * The files below a directory whose paths look like that, finished or not, also those that got a number for their name
 * was taken. Only directories that can have such files are looked at.
 * @param patterns of the segments of the path
 */
export async function* findLike(root: string, patterns: readonly RegExp[]): AsyncGenerator<FoundFile> {
  const [pattern, ...rest] = patterns
  if (pattern === undefined) return
  for await (const entry of entriesOf(root)) {
    const path = join(root, entry.name)
    if (rest.length > 0) {
      if (entry.isDirectory() && pattern.test(entry.name)) yield* findLike(path, rest)
      continue
    }
    const name = parseUnfinished(entry.name)?.name ?? entry.name
    const found =
      entry.isFile() && (pattern.test(name) || pattern.test(withoutNumber(name))) ? foundFile(path) : null
    if (found !== null) yield found
  }
}

function foundFile(path: string): FoundFile | null {
  const unfinished = parseUnfinished(path)
  if (unfinished !== null) return { path, unfinished: { path: unfinished.name, tag: unfinished.tag } }
  return isRecordingName(path) ? { path, unfinished: null } : null
}

/**
 * What is in a directory, some at a time: one with a hundred thousand files holds up nobody.
 * @returns nothing if it is not there, or somebody else's: that has nothing of ours
 */
async function* entriesOf(dir: string): AsyncGenerator<Dirent> {
  try {
    yield* await opendir(dir, { bufferSize: 256 })
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR', 'EACCES'].includes(codeOf(error))) throw error
  }
}
