import { codeOf, messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import { version } from '../../base/version.ts'
import { type App, createApp } from '../app.ts'
import { envelope, type ServerIdentity } from './envelope.ts'

/** What the API needs of its worker. */
export interface ApiHost {
  readonly logger: Logger
  readonly identity: ServerIdentity
}

/** The HTTP API, SRS-compatible: every answer is JSON in an {@link envelope}. */
export async function createApi(host: ApiHost): Promise<App> {
  const app = createApp()
  const { fastify } = app
  fastify.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500
    if (status >= 500) host.logger.error({ code: codeOf(error), err: error }, `api: ${messageOf(error)}`)
    reply.code(status).send(envelope(host.identity, status))
  })
  fastify.setNotFoundHandler((_request, reply) => {
    reply.code(404).send(envelope(host.identity, 404))
  })
  const root = { v1: 'the API, version 1' }
  for (const path of ['/', '/api', '/api/']) {
    fastify.get(path, () => ({ ...envelope(host.identity), urls: root }))
  }
  const urls = { versions: 'the version of the server' }
  for (const path of ['/api/v1', '/api/v1/']) {
    fastify.get(path, () => ({ ...envelope(host.identity), urls }))
  }
  fastify.get('/api/v1/versions', () => ({ ...envelope(host.identity), data: versionData() }))
  await fastify.ready()
  return app
}

function versionData() {
  const [major = 0, minor = 0, revision = 0] = version.split('.').map((part) => Number.parseInt(part, 10))
  return { major, minor, revision, version }
}
