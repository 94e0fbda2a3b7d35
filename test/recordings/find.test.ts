import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, test } from 'vitest'
import { type FoundFile, findAll, findLike } from '../../src/recordings/find.ts'
import { tempDir } from '../support/temp-dir.ts'

function directoryOf(names: readonly string[]): string {
  const dir = tempDir()
  for (const name of names) {
    mkdirSync(dirname(join(dir, name)), { recursive: true })
    writeFileSync(join(dir, name), '')
  }
  return dir
}

async function pathsOf(dir: string, found: AsyncIterable<FoundFile>): Promise<string[]> {
  const paths: string[] = []
  for await (const { path } of found) paths.push(relative(dir, path))
  return paths.sort()
}

async function foundIn(found: AsyncIterable<FoundFile>, part: string): Promise<FoundFile[]> {
  const files: FoundFile[] = []
  for await (const file of found) if (file.path.includes(part)) files.push(file)
  return files
}

test('all recordings below a directory, and nothing else', async () => {
  const dir = directoryOf([
    'b/c/two.mp4',
    'a.flv',
    'a.flv.12-3.1.tmp',
    'a.m3u8',
    'b/x.ts',
    '.git/y.flv',
    'a.flv.tmp',
  ])
  symlinkSync(dir, join(dir, 'b/loop'))
  expect(await pathsOf(dir, findAll(dir))).toEqual(['a.flv', 'a.flv.12-3.1.tmp', 'b/c/two.mp4'])
  expect(await pathsOf(dir, findAll(join(dir, 'nowhere')))).toEqual([])
})

test('those whose paths look like that, with the numbers that they got', async () => {
  const dir = directoryOf([
    'live/2026/show.flv',
    'live/2026/show-1.flv',
    'live/2025/show.flv.7.2.tmp',
    'live/2026/other.flv',
    'live/old/show.flv',
    'else/2026/show.flv',
  ])
  const patterns = [/^live$/, /^\d+$/, /^show\.flv$/]
  expect(await pathsOf(dir, findLike(dir, patterns))).toEqual([
    'live/2025/show.flv.7.2.tmp',
    'live/2026/show-1.flv',
    'live/2026/show.flv',
  ])
  const [left] = await foundIn(findLike(dir, patterns), '2025')
  expect(left?.unfinished).toEqual({ path: join(dir, 'live/2025/show.flv'), tag: '7' })
})
