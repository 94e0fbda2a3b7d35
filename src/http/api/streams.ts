import type { FastifyInstance } from 'fastify'
import { splitStreamId } from '../../live/stream-key.ts'
import type { StreamView } from '../inspector.ts'
import type { ApiHost } from './api-host.ts'
import { envelope } from './envelope.ts'
import { pageQuery } from './paging.ts'

/** SRS: there is no such stream. */
const streamNotFound = 2048

/** `/api/v1/streams`: what is published, with who watches it in all workers. */
export function registerStreams(fastify: FastifyInstance, host: ApiHost): void {
  const { inspector } = host
  fastify.get('/api/v1/streams', async (request) => {
    const { start, count } = pageQuery(request.query)
    const { items, total } = await inspector.streams(start, count)
    return { ...envelope(host.identity), streams: items.map(streamData), total }
  })
  fastify.get<{ Params: { id: string } }>('/api/v1/streams/:id', async ({ params }) => {
    const source = /^\d{1,15}$/.test(params.id) ? Number(params.id) : null
    const stream = source === null ? null : await inspector.stream(source)
    return stream === null
      ? envelope(host.identity, streamNotFound)
      : { ...envelope(host.identity), stream: streamData(stream) }
  })
}

function streamData(view: StreamView) {
  const { vhost, app, stream } = splitStreamId(view.stream)
  const { video, audio } = view
  return {
    ...{ id: String(view.source), name: stream, vhost, app },
    ...{ tcUrl: `rtmp://${vhost}/${app}`, url: `/${app}/${stream}`, live_ms: Date.now() },
    ...{ clients: view.clients, frames: view.frames, send_bytes: view.sendBytes, recv_bytes: view.recvBytes },
    publish: { active: view.sourceId !== '', cid: view.sourceId },
    video,
    audio: audio && {
      codec: audio.codec,
      sample_rate: audio.sampleRate,
      channel: audio.channels,
      profile: audio.profile,
    },
  }
}
