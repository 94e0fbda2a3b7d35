import { codeOf, messageOf } from '../../base/errors.ts'
import { version } from '../../base/version.ts'
import { type App, createApp } from '../app.ts'
import type { ApiHost } from './api-host.ts'
import { registerClients } from './clients.ts'
import { envelope } from './envelope.ts'
import { registerStreams } from './streams.ts'

/** The HTTP API, SRS-compatible: every answer is JSON in an {@link envelope}. */
export async function createApi(host: ApiHost): Promise<App> {
  const app = createApp()
  const { fastify } = app
  fastify.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? (codeOf(error) === 'SERVER_SILENT' ? 503 : 500)
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
  const urls = {
    versions: 'the version of the server',
    streams: 'what is published',
    clients: 'who publishes and plays',
  }
  for (const path of ['/api/v1', '/api/v1/']) {
    fastify.get(path, () => ({ ...envelope(host.identity), urls }))
  }
  fastify.get('/api/v1/versions', () => ({ ...envelope(host.identity), data: versionData() }))
  registerStreams(fastify, host)
  registerClients(fastify, host)
  await fastify.ready()
  return app
}

function versionData() {
  const [major = 0, minor = 0, revision = 0] = version.split('.').map((part) => Number.parseInt(part, 10))
  return { major, minor, revision, version }
}
