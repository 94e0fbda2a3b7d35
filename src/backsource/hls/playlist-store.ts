import { readdir, readFile, stat, truncate } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { codeOf, messageOf, WeirError } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import { isTagAlive, ownProcessTag, processTagPattern } from '../../base/process-tag.ts'
import type { HlsNames, NamedFile } from '../../media/hls/names.ts'
import {
  type ExpiredSegment,
  type Playlist,
  type PlaylistKey,
  parsePlaylist,
  writePlaylist,
} from '../../media/hls/playlist.ts'
import type { SegmentStart } from '../../media/hls/segmenter.ts'
import { emptyPlaylist, PlaylistWindow, type WindowOptions } from '../../media/hls/window.ts'
import { measureTs } from '../../media/ts/span.ts'
import { moveFile, removeFile, replaceFile } from '../disk/files.ts'
import type { SegmentCipher } from './key-ring.ts'
import { SegmentFile } from './segment-file.ts'

/** A segment that players find from now on. */
export interface PublishedSegment {
  readonly seq: number
  readonly durationMs: number
  /** Path of the file, as the configuration has it: relative ones count from the working directory. */
  readonly file: string
  /** As the playlist names it. */
  readonly uri: string
  readonly playlistFile: string
}

/** What is to be done with the files. */
export interface StoreOptions extends WindowOptions {
  /**
   * Null: they outlive the server, and so do numbers. Else a stream without files begins with the number of the clock's
   * period of so many milliseconds, for caches may have what an earlier run gave a lower number to.
   */
  readonly forgottenMs: number | null
}

/** Names that are tried when a segment's own is in use. */
const maxNameTries = 100

/** A larger file that a killed process left is not looked at, but deleted. */
const maxRecoveredBytes = 256 * 1024 * 1024

/**
 * The files of one stream: puts segments into the playlist and deletes them when their time is over. It goes on with
 * the playlist that is there, whoever wrote it, so that numbers go on over publishers, processes and restarts.
 */
export class PlaylistStore {
  readonly names: HlsNames
  readonly #logger: Logger
  #options: StoreOptions
  /** Null until the files were looked at: as late as possible, for another process may finish its last segment. */
  #window: PlaylistWindow | null = null
  /** A segment was lost before the next one. */
  #gap = false
  /** What is to be deleted as soon as the playlist on the disk has forgotten it. */
  #dead: ExpiredSegment[] = []
  #cannotDelete = false
  /** Its numbers are ahead of those that segments shall have. */
  #isAhead = false

  constructor(names: HlsNames, options: StoreOptions, logger: Logger) {
    this.names = names
    this.#options = options
    this.#logger = logger
  }

  set options(options: StoreOptions) {
    this.#options = options
    if (this.#window !== null) this.#window.options = options
  }

  /** Segments in the playlist; 0 as long as the files were not looked at. */
  get segments(): number {
    return this.#window?.playlist.segments.length ?? 0
  }

  /** A file for a segment that begins. Each process has its own, beside the playlist. */
  newFile(start: SegmentStart, cipher: SegmentCipher | null): SegmentFile {
    return new SegmentFile(`${this.names.playlistFile}.${ownProcessTag()}${unfinishedEnd}`, start, cipher)
  }

  /** A segment was lost: the next one does not go on where the last one ended. */
  noteGap(): void {
    this.#gap = true
  }

  /**
   * Ends a segment, gives it its name and puts it into the playlist.
   * @throws why it could not be written; there is a discontinuity in its place then
   */
  async publish(file: SegmentFile, durationMs: number): Promise<PublishedSegment> {
    const window = await this.#load(file.start.sequence)
    const seq = this.#sequenceOf(file.start, window)
    let named: NamedFile
    let key: PlaylistKey | null
    try {
      if (file.error !== null) throw file.error
      await file.finish()
      named = this.#segmentName(window, file.start, seq, durationMs)
      key = await this.#writeKey(file.cipher, seq)
      await moveFile(file.path, named.file)
    } catch (error) {
      this.#gap = true
      throw error
    }
    const discontinuity = file.start.discontinuity || this.#gap
    this.#gap = false
    this.#dead.push(...window.add({ uri: named.uri, durationMs, discontinuity, key }, seq))
    await this.#writePlaylist(window)
    await this.#deleteDead(window)
    const { playlistFile } = this.names
    return { seq, durationMs, file: named.file, uri: named.uri, playlistFile }
  }

  /** Deletes all files of the stream. The numbers go on as long as this process knows them. */
  async dispose(): Promise<void> {
    const window = await this.#load(null)
    await removeFile(this.names.playlistFile)
    this.#dead.push(...window.clear())
    await this.#deleteDead(window)
  }

  /** @param sequence the number that the first segment shall have; null: the next one */
  async #load(sequence: number | null): Promise<PlaylistWindow> {
    if (this.#window !== null) return this.#window
    const { playlistFile } = this.names
    const text = await readOrNull(playlistFile)
    const before = text === null ? null : parsePlaylist(text)
    if (text !== null && before === null) {
      this.#logger.warn(
        { file: playlistFile },
        'hls: the playlist that is there cannot be read; it begins anew',
      )
    }
    const window = new PlaylistWindow(this.#options, before ?? this.#beginning(sequence))
    if (await this.#recover(window)) await this.#writePlaylist(window)
    this.#window = window
    return window
  }

  /** Where a stream begins that has no playlist. */
  #beginning(sequence: number | null): Playlist | null {
    const { forgottenMs } = this.#options
    const isNumbered = forgottenMs === null || sequence !== null
    return isNumbered ? null : emptyPlaylist(Math.floor(Date.now() / forgottenMs))
  }

  /**
   * Looks for segments that processes left which were killed: what is whole of them becomes a segment.
   * @returns whether there was any
   */
  async #recover(window: PlaylistWindow): Promise<boolean> {
    const { playlistFile } = this.names
    const dir = dirname(playlistFile)
    const start = `${basename(playlistFile)}.`
    let found = false
    for (const name of await namesIn(dir)) {
      if (!name.startsWith(start)) continue
      const tag = unfinishedRest.exec(name.slice(start.length))?.[1]
      if (tag === undefined || tag === ownProcessTag() || isTagAlive(tag)) continue
      const file = join(dir, name)
      if (name.endsWith(unfinishedEnd) && (await this.#recoverSegment(window, file))) found = true
      else await removeFile(file)
    }
    return found
  }

  async #recoverSegment(window: PlaylistWindow, file: string): Promise<boolean> {
    if ((await stat(file)).size > maxRecoveredBytes) return false
    const span = measureTs(await readFile(file))
    if (span === null) return false
    await truncate(file, span.bytes)
    const { durationMs } = span
    const atMs = Date.now()
    const start = { atMs, timestamp: atMs, sequence: null, discontinuity: true }
    const named = this.#segmentName(window, start, window.nextSequence, durationMs)
    await moveFile(file, named.file)
    window.add({ uri: named.uri, durationMs, discontinuity: true, key: null })
    this.#logger.info({ file: named.file, durationMs }, 'hls: took over what a killed process had written')
    return true
  }

  /** The number that a segment shall have, if that is not one of those that were given already. */
  #sequenceOf({ sequence }: SegmentStart, { nextSequence }: PlaylistWindow): number {
    const isTaken = sequence !== null && sequence < nextSequence
    if (isTaken && !this.#isAhead) {
      this.#logger.warn(
        { code: 'HLS_NUMBERS', sequence: nextSequence, wanted: sequence },
        'hls: segments are numbered on from those before, and not as on other servers with this stream',
      )
    }
    this.#isAhead = isTaken
    return isTaken ? nextSequence : (sequence ?? nextSequence)
  }

  /** A name that no file of the playlist has. With `hls_ts_floor` a period may have one already. */
  #segmentName(window: PlaylistWindow, start: SegmentStart, seq: number, durationMs: number): NamedFile {
    const { segments, expired } = window.playlist
    const used = new Set([...segments, ...expired].map(({ uri }) => uri))
    const { atMs } = start
    for (let tries = 0; tries < maxNameTries; tries += 1) {
      const timestamp = start.timestamp + tries
      const named = this.names.segment({ seq, durationMs, timestamp, atMs })
      if (!used.has(named.uri)) return named
    }
    throw new WeirError(
      'PATH_TEMPLATE',
      'hls_ts_file gives several segments one name: it needs [seq] or [timestamp]',
    )
  }

  async #writeKey(cipher: SegmentCipher | null, seq: number): Promise<PlaylistKey | null> {
    if (cipher === null) return null
    const { key, iv } = cipher
    if (key.name === null) {
      const named = this.names.key(seq)
      await replaceFile(named.file, key.bytes)
      key.name = named
    }
    return { uri: key.name.uri, iv }
  }

  #writePlaylist(window: PlaylistWindow): Promise<void> {
    return replaceFile(this.names.playlistFile, writePlaylist(window.playlist))
  }

  /** Deletes the files of dead segments, and keys that no segment has any more. */
  async #deleteDead(window: PlaylistWindow): Promise<void> {
    const { segments, expired } = window.playlist
    const keysInUse = new Set([
      ...segments.map(({ key }) => key?.uri),
      ...expired.map(({ keyUri }) => keyUri),
    ])
    const files = new Set<string | null>()
    for (const { uri, keyUri } of this.#dead.splice(0)) {
      files.add(this.names.segmentFile(uri))
      if (keyUri !== null && !keysInUse.has(keyUri)) files.add(this.names.keyFile(keyUri))
    }
    for (const file of files) if (file !== null) await this.#deleteFile(file)
  }

  /** That a file cannot be deleted is told once, and keeps nobody from anything. */
  async #deleteFile(file: string): Promise<void> {
    try {
      await removeFile(file)
      this.#cannotDelete = false
    } catch (error) {
      if (this.#cannotDelete) return
      this.#cannotDelete = true
      this.#logger.warn({ code: codeOf(error), file }, `hls: cannot delete: ${messageOf(error)}`)
    }
  }
}

/** What the name of a segment's file ends with while it is written. */
const unfinishedEnd = '.ts.tmp'

/** The name of an unfinished segment or playlist behind that of the playlist: the tag of its process comes first. */
const unfinishedRest = new RegExp(`^(${processTagPattern})(?:\\.ts)?\\.tmp$`)

async function readOrNull(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}
