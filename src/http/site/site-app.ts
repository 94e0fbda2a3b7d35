import { codeOf, messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import { type App, createApp } from '../app.ts'

/** What the site needs of its worker. */
export interface SiteHost {
  readonly logger: Logger
}

/** The files that are served over HTTP. */
export async function createSite(host: SiteHost): Promise<App> {
  const app = createApp()
  const { fastify } = app
  fastify.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500
    if (status >= 500) host.logger.error({ code: codeOf(error), err: error }, `http: ${messageOf(error)}`)
    reply.code(status).type('text/plain').send(`${status}\n`)
  })
  fastify.setNotFoundHandler((_request, reply) => {
    reply.code(404).type('text/plain').send('404 Not Found\n')
  })
  await fastify.ready()
  return app
}
