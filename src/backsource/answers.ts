import { type Answer, maxPageSize, type StreamInfo } from '../ipc/contract.ts'
import { streamTag } from '../live/stream-key.ts'
import { pageOf } from '../worker/client-book.ts'
import type { WorkQuestion } from '../worker/worker-process.ts'
import type { LiveStream } from './live-stream.ts'

/** What a back-source answers about its streams; null: that is no question about them. */
export function answerAboutStreams(
  question: WorkQuestion,
  lives: readonly LiveStream[],
  infoOf: (live: LiveStream) => StreamInfo,
): Answer | null {
  switch (question.ask) {
    case 'streams': {
      const page = pageOf(lives, question.start, question.count)
      return { of: 'streams', streams: page.map(infoOf), total: lives.length }
    }
    case 'stream': {
      const found = lives.filter(({ stream }) => streamTag(stream) === question.tag)
      return { of: 'streams', streams: found.map(infoOf), total: found.length }
    }
    case 'programs': {
      const programs = lives.flatMap((live) => live.status().programs ?? [])
      return { of: 'programs', programs: programs.slice(0, maxPageSize) }
    }
    default:
      return null
  }
}
