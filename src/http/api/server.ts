import type { FastifyInstance } from 'fastify'
import { plainIp } from '../../base/plain-ip.ts'
import type { ReloadOutcome } from '../../ipc/contract.ts'
import type { ApiHost } from './api-host.ts'
import { codes, envelope } from './envelope.ts'
import { programData } from './programs.ts'
import { resource } from './resource.ts'
import { workerData } from './workers.ts'

/** What is asked and done beyond SRS: the processes, a reload; and SRS's raw API, as one that is off. */
export function registerServer(fastify: FastifyInstance, host: ApiHost): void {
  const { inspector } = host
  resource(fastify, host, '/api/v1/workers', {
    GET: async () => {
      const processes = await inspector.recentProcesses()
      return { ...envelope(host.identity), workers: processes.map(workerData) }
    },
  })
  resource(fastify, host, '/api/v1/programs', {
    GET: async () => {
      const programs = await inspector.programs()
      return { ...envelope(host.identity), programs: programs.map(programData) }
    },
  })
  resource(fastify, host, '/api/v1/reload', {
    POST: async (request, reply) => {
      host.logger.warn({ ip: plainIp(request.ip) }, 'api: the configuration is read again')
      const outcome = await inspector.reload()
      if (!outcome.applied) reply.code(422)
      return { ...envelope(host.identity, outcome.applied ? 0 : 422), ...reloadData(outcome) }
    },
  })
  resource(fastify, host, '/api/v1/openapi.json', {
    GET: async () => (await import('./openapi.ts')).openApi(),
  })
  resource(fastify, host, '/api/v1/raw', {
    GET: ({ query }) => {
      if ((query as { rpc?: unknown }).rpc !== 'raw') return envelope(host.identity, codes.rawDisabled)
      return { ...envelope(host.identity), ...rawData(host) }
    },
  })
}

function reloadData(outcome: ReloadOutcome) {
  if (!outcome.applied) {
    const { code, message } = outcome
    return { applied: false, error: { code, message } }
  }
  const { changes, warnings, atNextStart } = outcome
  return { applied: true, changes, warnings, at_next_start: atNextStart }
}

/** What SRS's console asks first: whether it may change the configuration. It may not. */
function rawData({ config }: ApiHost) {
  const { enabled, listen, crossdomain } = config.httpApi
  const never = { enabled: false, allow_reload: false, allow_query: false, allow_update: false }
  return { http_api: { enabled, listen: String(listen[0]?.port ?? ''), crossdomain, raw_api: never } }
}
