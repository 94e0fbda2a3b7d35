import type { FastifyInstance } from 'fastify'
import { codeOf, messageOf } from '../../base/errors.ts'
import type { ApiHost } from './api-host.ts'
import { resource } from './resource.ts'
import type { Health } from './schema/server.ts'

/** Paths of the API that are not below `/api`. */
export const outside: readonly string[] = ['/metrics', '/healthz', '/readyz']

/** Those that ask for no password: who starts and stops servers by them has none. */
export const openPaths: readonly string[] = ['/healthz', '/readyz']

/** What monitoring asks: metrics, whether this process lives, whether the server takes clients. */
export function registerProbes(fastify: FastifyInstance, host: ApiHost): void {
  resource(fastify, host, '/metrics', {
    GET: async (_request, reply) => {
      const { metricsText, metricsType } = await import('./metrics.ts')
      return reply.type(metricsType).send(await metricsText(host))
    },
  })
  resource(fastify, host, '/healthz', { GET: (): Health => ({ status: 'ok' }) })
  resource(fastify, host, '/readyz', {
    GET: async (_request, reply) => {
      const reason = await whyNotReady(host)
      const health: Health = reason === null ? { status: 'ok' } : { status: 'unavailable', reason }
      return reply.code(reason === null ? 200 : 503).send(health)
    },
  })
}

/** @returns why the server does not take clients, or null: it does */
async function whyNotReady({ inspector, leaving }: ApiHost): Promise<string | null> {
  if (leaving) return 'this worker takes no more clients'
  try {
    const { processes } = await inspector.status()
    const takes = processes.some(({ role, state }) => role === 'stream' && state === 'running')
    return takes ? null : 'no stream worker answers'
  } catch (error) {
    if (codeOf(error) !== 'SERVER_SILENT') throw error
    return messageOf(error)
  }
}
