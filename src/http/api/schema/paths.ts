/** Every path of the API and what it answers: the OpenAPI document is made of it, and tests follow it. */
import type { TSchema } from 'typebox'
import { clusterAnswer } from './cluster.ts'
import { envelopeSchema } from './common.ts'
import {
  clientAnswer,
  clientsAnswer,
  streamAnswer,
  streamsAnswer,
  vhostAnswer,
  vhostsAnswer,
} from './lists.ts'
import { recordingsAnswer } from './recordings.ts'
import {
  healthSchema,
  programsAnswer,
  rawAnswer,
  reloadAnswer,
  snapshotSchema,
  workersAnswer,
} from './server.ts'
import {
  authorsAnswer,
  featuresAnswer,
  indexAnswer,
  meminfosAnswer,
  requestsAnswer,
  rusagesAnswer,
  selfProcStatsAnswer,
  summariesAnswer,
  systemProcStatsAnswer,
  versionAnswer,
} from './system.ts'

/** What a method does at a path. */
export interface Operation {
  readonly summary: string
  /** Of its answer; null: it is no JSON. */
  readonly answer: TSchema | null
  /** Media type of its answer, if that is no JSON. */
  readonly type?: string
  /** Whether it is a list that is given in pages. */
  readonly paged?: boolean
  /** What else its query may say, and what that means. */
  readonly query?: Readonly<Record<string, string>>
  /** Whether it asks for no password. */
  readonly open?: boolean
  /** Values of `code` beside 0, and what they mean. */
  readonly codes?: Readonly<Record<number, string>>
}

/** The operations of a path. */
export type PathItem = Partial<Record<'get' | 'post' | 'delete', Operation>>

const noStream = { 2048: 'there is no such stream' }
const noClient = { 2049: 'there is no such client' }

export const paths: Readonly<Record<string, PathItem>> = {
  '/api': { get: { summary: 'What is below.', answer: indexAnswer } },
  '/api/v1': { get: { summary: 'What is below.', answer: indexAnswer } },
  '/api/v1/versions': { get: { summary: 'The version of the server.', answer: versionAnswer } },
  '/api/v1/summaries': {
    get: { summary: 'The server and its machine at a glance.', answer: summariesAnswer },
  },
  '/api/v1/rusages': { get: { summary: 'getrusage(2), of all processes together.', answer: rusagesAnswer } },
  '/api/v1/self_proc_stats': {
    get: { summary: '/proc/PID/stat, of all processes together.', answer: selfProcStatsAnswer },
  },
  '/api/v1/system_proc_stats': { get: { summary: '/proc/stat.', answer: systemProcStatsAnswer } },
  '/api/v1/meminfos': { get: { summary: '/proc/meminfo, in kB.', answer: meminfosAnswer } },
  '/api/v1/authors': { get: { summary: 'Licence and authors.', answer: authorsAnswer } },
  '/api/v1/features': { get: { summary: 'What the server can do.', answer: featuresAnswer } },
  '/api/v1/requests': { get: { summary: 'The request itself.', answer: requestsAnswer } },
  '/api/v1/vhosts': { get: { summary: 'The virtual hosts of the configuration.', answer: vhostsAnswer } },
  '/api/v1/vhosts/{id}': {
    get: {
      summary: 'One virtual host.',
      answer: vhostAnswer,
      codes: { 2048: 'there is no such virtual host' },
    },
  },
  '/api/v1/streams': { get: { summary: 'The streams.', answer: streamsAnswer, paged: true } },
  '/api/v1/streams/{id}': {
    get: { summary: 'One stream.', answer: streamAnswer, codes: noStream },
    delete: {
      summary: 'Takes the stream from its publisher, and closes that one’s connection.',
      answer: envelopeSchema,
      codes: { 2048: 'nobody publishes such a stream' },
    },
  },
  '/api/v1/clients': {
    get: {
      summary: 'Publishers and players.',
      answer: clientsAnswer,
      paged: true,
      query: {
        search:
          'Only entries that have all these words in id, address, url, protocol or type, in any case of letters.',
      },
    },
  },
  '/api/v1/clients/{id}': {
    get: { summary: 'One client.', answer: clientAnswer, codes: noClient },
    delete: { summary: 'Closes the client’s connection.', answer: envelopeSchema, codes: noClient },
  },
  '/api/v1/programs': {
    get: { summary: 'Programs that run for streams: transcode, exec, ingest.', answer: programsAnswer },
  },
  '/api/v1/recordings': {
    get: {
      summary: 'What DVR has recorded, and what it records.',
      answer: recordingsAnswer,
      paged: true,
      query: {
        vhost: 'Only those of this virtual host.',
        app: 'Only those of this application.',
        stream: 'Only those of streams of this name.',
      },
    },
  },
  '/api/v1/cluster': {
    get: {
      summary: 'The origin cluster: its nodes, and where each stream is.',
      answer: clusterAnswer,
      paged: true,
    },
  },
  '/api/v1/workers': { get: { summary: 'The processes, the master first.', answer: workersAnswer } },
  '/api/v1/events': {
    get: {
      summary: 'Server-sent events: once a second one named snapshot, with this as its data.',
      answer: snapshotSchema,
      type: 'text/event-stream',
    },
  },
  '/api/v1/reload': {
    post: {
      summary: 'Reads the configuration again, as SIGHUP does.',
      answer: reloadAnswer,
      codes: { 422: 'it is not valid, or cannot be acted on: nothing has changed' },
    },
  },
  '/api/v1/raw': {
    get: {
      summary: 'SRS’s raw API: rpc=raw tells that it is off.',
      answer: rawAnswer,
      codes: { 1061: 'it is off' },
    },
  },
  '/metrics': {
    get: { summary: 'Metrics for Prometheus.', answer: null, type: 'text/plain' },
  },
  '/healthz': {
    get: { summary: 'Whether the HTTP worker lives.', answer: healthSchema, open: true },
  },
  '/readyz': {
    get: {
      summary: 'Whether the server takes clients; with the HTTP status 503 it does not.',
      answer: healthSchema,
      open: true,
    },
  },
  '/api/v1/tests': { get: { summary: 'What is below.', answer: indexAnswer } },
  '/api/v1/tests/requests': { get: { summary: 'The request itself.', answer: requestsAnswer } },
  '/api/v1/tests/errors': {
    get: { summary: 'Always the code 100.', answer: envelopeSchema, codes: { 100: 'always' } },
  },
}
