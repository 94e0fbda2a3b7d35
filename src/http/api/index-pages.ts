import type { FastifyInstance } from 'fastify'
import type { ApiHost } from './api-host.ts'
import { envelope } from './envelope.ts'
import { resource } from './resource.ts'

const urls = {
  versions: 'the version of the server',
  summaries: 'processor, memory, disk and network of the server and its machine',
  rusages: 'what the system has counted of the server',
  self_proc_stats: 'the server as a process',
  system_proc_stats: 'the processors of the machine',
  meminfos: 'the memory of the machine',
  authors: 'licence and authors',
  features: 'what the server can do',
  requests: 'the request itself, to debug clients',
  vhosts: 'virtual hosts, or one of them',
  streams: 'streams, or one of them; DELETE takes it from its publisher',
  clients: 'publishers and players, or one of them; DELETE closes its connection',
  recordings: 'what DVR has recorded, and what it records',
  cluster: 'the nodes of the origin cluster, and where each stream is',
  workers: 'the processes of the server',
  programs: 'the programs that run for streams: transcode, exec, ingest',
  events: 'all of this once a second, as server-sent events',
  reload: 'POST: reads the configuration again',
  'openapi.json': 'this API as an OpenAPI document',
}

const tests = {
  requests: 'the request itself',
  errors: 'always an answer with the code 100',
  redirects: 'always leads to /api/v1/tests/errors',
}

/** The pages that list what there is. */
export function registerIndexPages(fastify: FastifyInstance, host: ApiHost): void {
  const pages: Record<string, object> = {
    '/': { urls: { api: 'the API' } },
    '/api': { urls: { v1: 'version 1 of the API' } },
    '/api/v1': { urls, tests },
    '/api/v1/tests': { urls: tests },
  }
  for (const [path, content] of Object.entries(pages)) {
    resource(fastify, host, path, { GET: () => ({ ...envelope(host.identity), ...content }) })
  }
}
