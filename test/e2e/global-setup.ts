import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'
import { clipArguments, type Media, mediaIn, tinyArguments } from './support/media.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Programs the tests drive, each with an argument that makes it do nothing. */
const tools = { ffmpeg: '-version', ffprobe: '-version', rtmpdump: '--help', chromium: '--version' }

/** Builds the server and makes the media, once for all end-to-end tests. Returns what undoes it. */
export default function setup(project: TestProject): () => void {
  checkMachine()
  execFileSync('sh', ['scripts/build.sh'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  const dir = mkdtempSync(join(tmpdir(), 'weir-e2e-media-'))
  const media = mediaIn(dir)
  makeMedia(media)
  project.provide('media', media)
  return () => rmSync(dir, { recursive: true, force: true })
}

/** @throws Error on one line that says what is missing */
function checkMachine(): void {
  if (process.platform !== 'linux') {
    throw new Error('the end-to-end tests need Linux: several workers on one port, and /proc')
  }
  const missing = Object.entries(tools)
    .filter(([tool, argument]) => spawnSync(tool, [argument], { stdio: 'ignore' }).error !== undefined)
    .map(([tool]) => tool)
  if (missing.length > 0) {
    throw new Error(`the end-to-end tests need ${missing.join(', ')}: run sh scripts/setup-system.sh`)
  }
}

function makeMedia({ clip, tiny }: Media): void {
  ffmpeg(clipArguments(clip))
  for (const [index, file] of tiny.entries()) ffmpeg(tinyArguments(file, index))
}

function ffmpeg(args: readonly string[]): void {
  execFileSync('ffmpeg', ['-hide_banner', '-loglevel', 'error', ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
}
