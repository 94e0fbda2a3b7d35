import { open, rename } from 'node:fs/promises'
import { codeOf } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { RecordingFacts } from '../../media/dvr/facts.ts'
import { readFlvHead } from '../../media/dvr/flv-head.ts'
import { FlvRecording } from '../../media/dvr/flv-recording.ts'
import { readMp4Head } from '../../media/dvr/mp4-head.ts'
import { Mp4Recording, type Mp4Tracks, mp4Tracks } from '../../media/dvr/mp4-recording.ts'
import type { OpeningTracks } from '../../media/dvr/opening-tracks.ts'
import type { ByteSink, NewRecording, Recording } from '../../media/dvr/recording.ts'
import { codecName, type Packet } from '../../media/packet.ts'
import { findLike } from '../../recordings/find.ts'
import { readStart } from '../../recordings/head.ts'
import { newUnfinishedPath, type RecordingNames } from '../../recordings/names.ts'
import { type DvrConfig, indexCapacity } from './options.ts'
import { RecordingFile } from './recording-file.ts'

/** What a recording is made of. */
export interface RecordingStart {
  readonly names: RecordingNames
  readonly config: DvrConfig
  readonly start: NewRecording
  readonly tracks: OpeningTracks
  /** The encoder's metadata, if it has sent any. */
  readonly metadata: Buffer | null
  /** The first packets. */
  readonly first: readonly Packet[]
  readonly logger: Logger
}

/** A file that is open, and what goes into it. */
export interface OpenRecording {
  readonly file: RecordingFile
  /** Begins to write: into the sink, whose bytes go to the file. */
  begin(sink: ByteSink): Recording
  /** When it goes on, in its own time; 0 for a new one. */
  readonly fromMs: number
}

/**
 * Opens the file for a recording: a new one or, with the plan append, the one that is there.
 * @returns null if the file could have nothing of the stream in it
 * @throws the system's error; WeirError PATH_TEMPLATE
 */
export async function openRecording(request: RecordingStart): Promise<OpenRecording | null> {
  const { names, config, start, tracks, first, logger } = request
  let mp4: Mp4Tracks | null = null
  if (names.isMp4) {
    const found = mp4Tracks(tracks, first)
    const leftOut = 'leftOut' in found ? found.leftOut : found
    const reason = [...leftOut.values()].join('; ')
    if (reason !== '') logger.warn({ code: 'DVR_CODEC', reason }, 'dvr: a track is left out')
    if (!('leftOut' in found)) return null
    mp4 = found
  }
  const continued = config.dvrPlan === 'append' ? await continueFile(request, mp4) : null
  if (continued !== null) return continued
  const path = names.at(start.startedAtMs)
  const file = await RecordingFile.create(newUnfinishedPath(path), path)
  const capacity = indexCapacity(config)
  const configurations = config.dvrPlan === 'append' ? 'many' : 'one'
  return {
    file,
    fromMs: 0,
    begin: (sink) =>
      mp4 === null
        ? FlvRecording.begin(sink, start, request.metadata, capacity, configurations)
        : Mp4Recording.begin(sink, start, mp4, capacity),
  }
}

/** Files that are looked at, the last ones by name, for one that can be gone on with. */
const maxCandidates = 16

/** The stream's file that can be gone on with; null if there is none. Of several the last one by name. */
async function continueFile(request: RecordingStart, mp4: Mp4Tracks | null): Promise<OpenRecording | null> {
  const { names, start } = request
  const whole: string[] = []
  for await (const { path, unfinished } of findLike(names.root, names.patterns(start.startedAtMs))) {
    if (unfinished === null) whole.push(path)
  }
  for (const path of whole.sort().slice(-maxCandidates).reverse()) {
    const own = newUnfinishedPath(path)
    const found = await openFile(path)
    if (found === null) continue
    const opened = await continuation(
      found,
      request,
      mp4,
      (bytes) => new RecordingFile(found.file, own, path, bytes),
    )
    if (opened === null) {
      await found.file.close()
      continue
    }
    try {
      await rename(path, own)
    } catch (error) {
      await found.file.close()
      throw error
    }
    return opened
  }
  return null
}

interface FoundRecording {
  readonly file: Awaited<ReturnType<typeof open>>
  readonly head: Buffer
  readonly size: number
}

async function openFile(path: string): Promise<FoundRecording | null> {
  try {
    const file = await open(path, 'r+')
    try {
      return { file, head: await readStart(file), size: (await file.stat()).size }
    } catch (error) {
      await file.close()
      throw error
    }
  } catch (error) {
    // Somebody has taken it away.
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
}

async function continuation(
  { head: bytes, size }: FoundRecording,
  { config, start, tracks }: RecordingStart,
  mp4: Mp4Tracks | null,
  fileOf: (bytes: number) => RecordingFile,
): Promise<OpenRecording | null> {
  const capacity = indexCapacity(config)
  if (mp4 === null) {
    const head = readFlvHead(bytes)
    if (
      head === null ||
      head.fileBytes !== size ||
      !isOf(head.facts, start) ||
      !hasCodecs(head.facts, tracks)
    ) {
      return null
    }
    return {
      file: fileOf(size),
      fromMs: head.facts.durationMs,
      begin: (sink) => FlvRecording.continue(sink, head, capacity, 'many'),
    }
  }
  const head = readMp4Head(bytes)
  if (head === null || head.fileBytes !== size || !isOf(head.facts, start)) return null
  if (!Mp4Recording.canContinue(mp4, head)) return null
  return {
    file: fileOf(size),
    fromMs: head.facts.durationMs,
    begin: (sink) => Mp4Recording.continue(sink, mp4, head, capacity),
  }
}

function isOf(facts: RecordingFacts, { vhost, app, stream }: NewRecording): boolean {
  return facts.vhost === vhost && facts.app === app && facts.stream === stream
}

/** Whether a file has the same codecs, as far as it has those tracks. */
function hasCodecs(facts: RecordingFacts, { video, audio }: OpeningTracks): boolean {
  const isSame = (known: string | null, packet: Packet | null): boolean =>
    known === null || packet === null || known === codecName(packet.type, packet.body)
  return isSame(facts.video, video) && isSame(facts.audio, audio)
}
