import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ApiHost } from './api-host.ts'
import { envelope } from './envelope.ts'

/** What a path answers to a method: JSON, or the reply it has sent itself. */
export type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown

/** What can be done at a path. */
export type Methods = Partial<Record<'GET' | 'POST' | 'DELETE', Handler>>

const allMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

/** Serves a path: HEAD as GET, OPTIONS with what there is, and 405 for everything else. */
export function resource(fastify: FastifyInstance, host: ApiHost, url: string, methods: Methods): void {
  const { GET, POST, DELETE } = methods
  const handlers: Partial<Record<(typeof allMethods)[number], Handler>> = {
    ...(GET && { GET, HEAD: GET }),
    ...(POST && { POST }),
    ...(DELETE && { DELETE }),
    OPTIONS: (_request, reply) => reply.code(204).send(),
  }
  const allow = allMethods.filter((method) => handlers[method] !== undefined).join(', ')
  fastify.route({
    method: [...allMethods],
    url,
    exposeHeadRoute: false,
    handler: async (request, reply) => {
      const handler = handlers[request.method as (typeof allMethods)[number]]
      if (request.method === 'OPTIONS' || handler === undefined) reply.header('Allow', allow)
      if (handler === undefined) return reply.code(405).send(envelope(host.identity, 405))
      return handler(request, reply)
    },
  })
}
