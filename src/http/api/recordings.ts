import type { FastifyInstance } from 'fastify'
import { RecordingLibrary, type RecordingView } from '../recordings.ts'
import type { ApiHost } from './api-host.ts'
import { envelope } from './envelope.ts'
import { pageQuery } from './paging.ts'
import { resource } from './resource.ts'
import type { RecordingData } from './schema/recordings.ts'

/** Recordings: what DVR has written, and what it writes. */
export function registerRecordings(fastify: FastifyInstance, host: ApiHost): void {
  const library = new RecordingLibrary(host.logger)
  resource(fastify, host, '/api/v1/recordings', {
    GET: async ({ query }) => {
      const { start, count } = pageQuery(query)
      const { items, complete } = await library.list(host.config)
      const found = items.filter(isAskedFor(query))
      const recordings = found.slice(start, start + count).map(recordingData)
      return { ...envelope(host.identity), recordings, total: found.length, complete }
    },
  })
}

/** Those of a virtual host, an application, a stream: what the query does not name may be anything. */
function isAskedFor(query: unknown): (recording: RecordingView) => boolean {
  const asked = query as Partial<Record<'vhost' | 'app' | 'stream', unknown>>
  return (recording) =>
    (['vhost', 'app', 'stream'] as const).every((name) => {
      return asked[name] === undefined || asked[name] === recording[name]
    })
}

function recordingData(recording: RecordingView): RecordingData {
  const { vhost, app, stream, file, bytes, durationMs, startedAtMs, video, audio, state, url } = recording
  return {
    ...{ vhost, app, stream, file, url, state, bytes, video, audio },
    duration: durationMs / 1000,
    started: startedAtMs,
  }
}
