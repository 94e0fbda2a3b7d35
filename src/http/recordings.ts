import { stat } from 'node:fs/promises'
import { relative, resolve, sep } from 'node:path'
import { monotonicMs } from '../base/clock.ts'
import { codeOf, messageOf } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { isTagAlive } from '../base/process-tag.ts'
import type { Config } from '../config/config.ts'
import type { RecordingFacts } from '../media/dvr/facts.ts'
import { splitTemplate } from '../media/path-template.ts'
import { type FoundFile, findAll } from '../recordings/find.ts'
import { readRecordingFacts } from '../recordings/head.ts'
import { recordingTemplate } from '../recordings/names.ts'
import { FileRoots } from './site/file-roots.ts'

/** A recording as the disk has it. */
export interface RecordingView extends RecordingFacts {
  /** Absolute path: of one that is being written, what it will be called. */
  readonly file: string
  readonly bytes: number
  /** `left`: its process is gone, and nobody has finished it yet. */
  readonly state: 'finished' | 'recording' | 'left'
  /** Path at which the HTTP server has it; null if it has not. */
  readonly url: string | null
}

/** What was found. */
export interface Recordings {
  /** The newest first. */
  readonly items: readonly RecordingView[]
  /** False: there are more files than are looked at. */
  readonly complete: boolean
}

/** A list is taken for right for so long, in milliseconds. */
const freshMs = 2000

/** More files are not looked at. */
const maxFiles = 20_000

/** Files that are asked about at once. */
const atOnce = 16

/** What is known of a file, as long as it is the same. */
interface Known {
  readonly version: string
  readonly facts: RecordingFacts | null
}

/**
 * The recordings of all virtual hosts, found on the disk: what a recording is it says itself, so that nothing has to be kept in
 * step with what an operator moves or deletes. A file is read once, as long as it does not change.
 */
export class RecordingLibrary {
  readonly #logger: Logger
  #known = new Map<string, Known>()
  #listing: Promise<Recordings> | null = null
  #config: Config | null = null
  #listedAtMs = 0

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** @throws the system's error when a directory cannot be read */
  list(config: Config): Promise<Recordings> {
    const isFresh = this.#config === config && monotonicMs() - this.#listedAtMs < freshMs
    if (this.#listing !== null && isFresh) return this.#listing
    this.#config = config
    this.#listedAtMs = monotonicMs()
    const listing = this.#look(config)
    this.#listing = listing
    // What went wrong is not to be told for long.
    listing.catch(() => {
      if (this.#listing === listing) this.#listing = null
    })
    return listing
  }

  async #look(config: Config): Promise<Recordings> {
    const roots = new FileRoots(config)
    const known = new Map<string, Known>()
    const items: RecordingView[] = []
    let waiting: FoundFile[] = []
    const take = async (): Promise<void> => {
      const views = await Promise.all(waiting.map((file) => this.#view(file, roots, config, known)))
      items.push(...views.filter((view) => view !== null))
      waiting = []
    }
    let files = 0
    for (const root of recordingRoots(config)) {
      for await (const file of findAll(root)) {
        files += 1
        if (files > maxFiles) break
        waiting.push(file)
        if (waiting.length === atOnce) await take()
      }
    }
    await take()
    this.#known = known
    items.sort((a, b) => b.startedAtMs - a.startedAtMs || (a.file < b.file ? -1 : 1))
    return { items, complete: files <= maxFiles }
  }

  async #view(
    { path, unfinished }: FoundFile,
    roots: FileRoots,
    config: Config,
    known: Map<string, Known>,
  ): Promise<RecordingView | null> {
    try {
      const { size, mtimeMs } = await stat(path)
      // What one that is written says of itself stays the same until it is whole.
      const version = unfinished === null ? `${size} ${mtimeMs}` : 'unfinished'
      const before = this.#known.get(path)
      const facts = before?.version === version ? before.facts : await readRecordingFacts(path)
      if (facts !== null || unfinished === null) known.set(path, { version, facts })
      if (facts === null) return null
      if (unfinished === null) {
        return { ...facts, file: path, bytes: size, state: 'finished', url: urlOf(path, roots, config) }
      }
      const durationMs = Math.max(0, Math.round(mtimeMs - facts.startedAtMs))
      const state = isTagAlive(unfinished.tag) ? 'recording' : 'left'
      return { ...facts, durationMs, file: unfinished.path, bytes: size, state, url: null }
    } catch (error) {
      // It was renamed or deleted meanwhile, or is not for us.
      if (codeOf(error) !== 'ENOENT') {
        this.#logger.debug(
          { code: codeOf(error), file: path, reason: messageOf(error) },
          'api: cannot read a recording',
        )
      }
      return null
    }
  }
}

/** The directories that the virtual hosts record into; none of them is within another. */
function recordingRoots(config: Config): string[] {
  const recording = Object.values(config.vhosts).filter(({ enabled, dvr }) => enabled && dvr.enabled)
  const all = new Set(recording.map(({ dvr }) => resolve(splitTemplate(recordingTemplate(dvr.dvrPath)).root)))
  return [...all].filter((root) => ![...all].some((other) => other !== root && isWithin(root, other)))
}

function isWithin(path: string, dir: string): boolean {
  const way = relative(dir, path)
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`)
}

/** Where the HTTP server has a file; null if something else is there, or it serves no files. */
function urlOf(file: string, roots: FileRoots, config: Config): string | null {
  const { enabled, dir } = config.httpServer
  const root = resolve(dir)
  if (!enabled || !isWithin(file, root)) return null
  const url = `/${relative(root, file).split(sep).map(encodeURIComponent).join('/')}`
  const found = roots.find('', url, new URLSearchParams())
  return found !== null && resolve(found.root + found.path) === file ? url : null
}
