/**
 * A thread that looks through recordings and makes segments of them, so that the event loop of its worker never waits
 * for a disk or a loop over a gigabyte. It keeps nothing but open MP4 files: any thread can do any task.
 */
import { move } from 'piscina'
import { codeOf, messageOf, WeirError } from '../../base/errors.ts'
import { writeFragment } from '../../media/mp4/fragment.ts'
import { movieHead } from '../../media/mp4/movie.ts'
import { movieOf } from '../../media/vod/mp4-movie.ts'
import type { Period, RecordingIndex, Sample, Segment } from '../../media/vod/recording.ts'
import { tsSegment } from '../../media/vod/ts-segment.ts'
import { indexFlv, samplesOfFlv } from './flv-recording.ts'
import type { RecordingFile, VodResult, VodTask } from './tasks.ts'

/** Does a task. Errors are results too: their codes would not survive the way to another thread. */
export default async function work(task: VodTask): Promise<VodResult> {
  try {
    const result = await resultOf(task)
    return result instanceof Uint8Array ? (move(result) as Uint8Array) : result
  } catch (error) {
    return { failed: true, code: codeOf(error), message: messageOf(error) }
  }
}

async function resultOf(task: VodTask): Promise<RecordingIndex | Uint8Array> {
  switch (task.kind) {
    case 'index':
      return index(task.file, task.fragmentMs)
    case 'ts': {
      const { file, period, segment } = task
      return tsSegment(period, await samplesOf(file, segment, period), segment.frameBytes)
    }
    case 'mp4-head':
      return mp4Head(task.file, task.index)
    case 'mp4-fragment': {
      const { file, period, segment, sequence, startMs } = task
      const { slice } = segment
      const offsetMs = slice.kind === 'flv' ? startMs - slice.timeMs : startMs
      return writeFragment(sequence, [...(await samplesOf(file, segment, period))], offsetMs)
    }
  }
}

async function mp4Head(file: RecordingFile, index: RecordingIndex): Promise<Uint8Array> {
  const [segment] = index.segments
  const period = index.periods[segment?.period ?? 0]
  if (segment === undefined || period === undefined) throw new WeirError('VOD_BROKEN', 'it has no frames')
  const head = movieHead(movieOf(index, await samplesOf(file, segment, period)))
  // Memory of its own, which can go to another thread.
  return Uint8Array.from(head)
}

async function index(file: RecordingFile, fragmentMs: number): Promise<RecordingIndex> {
  const { path } = file
  const found = isFlv(path) ? indexFlv(path, fragmentMs) : await (await mp4()).indexMp4(file, fragmentMs)
  if (found.segments.length > 0) return found
  const { leftOut } = found
  if (leftOut.length > 0) throw new WeirError('VOD_FORMAT', leftOut.join('; '))
  throw new WeirError('VOD_BROKEN', 'it has no frames')
}

async function samplesOf(file: RecordingFile, segment: Segment, period: Period): Promise<Iterable<Sample>> {
  const { slice, videoFrames } = segment
  if (slice.kind === 'flv') return samplesOfFlv(file.path, slice, period)
  return (await mp4()).samplesOfMp4(file, slice, videoFrames)
}

function isFlv(path: string): boolean {
  return path.toLowerCase().endsWith('.flv')
}

/** The library for MP4 is loaded with the first file of that kind. */
function mp4(): Promise<typeof import('./mp4-recording.ts')> {
  return import('./mp4-recording.ts')
}
