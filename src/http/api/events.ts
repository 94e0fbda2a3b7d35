import type { FastifyInstance } from 'fastify'
import type { ApiHost } from './api-host.ts'
import { envelope } from './envelope.ts'
import { EventFeed } from './event-feed.ts'
import { resource } from './resource.ts'
import { takeSnapshot } from './snapshot.ts'

/** `/api/v1/events`: server-sent events, the whole server once a second. */
export function registerEvents(fastify: FastifyInstance, host: ApiHost): EventFeed {
  const feed = new EventFeed(() => takeSnapshot(host), host.logger)
  resource(fastify, host, '/api/v1/events', {
    GET: (request, reply) => {
      if (!feed.hasRoom) return reply.code(503).send(envelope(host.identity, 503))
      if (request.method === 'HEAD') return reply.type('text/event-stream; charset=utf-8').send()
      reply.hijack()
      feed.add(reply.raw)
      return reply
    },
  })
  return feed
}
