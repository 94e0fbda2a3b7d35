import { posix } from 'node:path'
import { ownProcessTag, processTagPattern } from '../base/process-tag.ts'
import { expandPath, pathPatterns, splitTemplate, type TemplateValues } from '../media/path-template.ts'

/** What a recording's file is called when `dvr_path` names a directory, as in SRS. */
const usualName = '/[stream].[timestamp].flv'

/** What tells an unfinished file's process, and its files from each other, and that it is unfinished. */
const unfinishedName = new RegExp(`^(.+\\.(?:flv|mp4))\\.(${processTagPattern})\\.\\d+\\.tmp$`)

/** Whose recordings they are, and how they are to be called. */
export interface NameOptions {
  readonly vhost: string
  readonly app: string
  readonly stream: string
  /** `dvr_path` */
  readonly path: string
  /** `utc_time` */
  readonly utc: boolean
}

/** A file that a recorder writes, or that one left which was killed. */
export interface Unfinished {
  /** What it is to be called when it is whole. */
  readonly name: string
  /** See `processTag`. */
  readonly tag: string
}

/** The names of one stream's recordings. Every file is below the directory that `dvr_path` names, whatever a stream is called. */
export class RecordingNames {
  readonly #options: NameOptions
  readonly #below: string
  /** The directory that all of them are below. */
  readonly root: string

  /** @throws WeirError PATH_TEMPLATE when there is no such file */
  constructor(options: NameOptions) {
    this.#options = options
    const { root, below } = splitTemplate(recordingTemplate(options.path))
    this.root = root
    this.#below = below
    this.at(Date.now())
  }

  get isMp4(): boolean {
    return this.#below.endsWith('.mp4')
  }

  /**
   * The file for a recording that begins.
   * @param timeMs milliseconds since 1970
   * @throws WeirError PATH_TEMPLATE
   */
  at(timeMs: number): string {
    const { utc } = this.#options
    const values = { ...this.#stream, timestamp: timeMs, time: new Date(timeMs), utc }
    return posix.join(this.root, expandPath(this.#below, values))
  }

  /**
   * What the segments of the paths below {@link root} look like.
   * @param timeMs only recordings that began then but for `[timestamp]`; null: at any time
   */
  patterns(timeMs: number | null): RegExp[] {
    const { utc } = this.#options
    const time = timeMs === null ? {} : { time: new Date(timeMs), utc }
    return pathPatterns(this.#below, { ...this.#stream, ...time })
  }

  get #stream(): TemplateValues {
    const { vhost, app, stream } = this.#options
    return { vhost, app, stream }
  }
}

/** `dvr_path` with the name of a file. */
export function recordingTemplate(path: string): string {
  return isRecordingName(path) ? path : path.replace(/\/$/, '') + usualName
}

/** Whether a file has the name of a recording, finished or not. */
export function isRecordingName(name: string): boolean {
  return name.endsWith('.flv') || name.endsWith('.mp4')
}

/** How a file is called while it is written: beside its place, unlike any other of this process and of others. */
export function newUnfinishedPath(path: string): string {
  count += 1
  return `${path}.${ownProcessTag()}.${count}.tmp`
}

let count = 0

/** @param name of a file, with or without its directory. @returns null if it is none of {@link newUnfinishedPath} */
export function parseUnfinished(name: string): Unfinished | null {
  const [, finished, tag] = unfinishedName.exec(name) ?? []
  return finished === undefined || tag === undefined ? null : { name: finished, tag }
}

/** Another name for a file whose own is taken: `show-2.flv`. @param number from 1 on; 0: its own */
export function alternative(path: string, number: number): string {
  return number === 0 ? path : `${path.slice(0, -4)}-${number}${path.slice(-4)}`
}

/** The name without what {@link alternative} put into it. */
export function withoutNumber(name: string): string {
  return name.replace(/-\d+(\.\w{3})$/, '$1')
}
