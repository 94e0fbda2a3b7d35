/** What Weir has beyond SRS: its processes, what comes of a reload, the events, its health. */
import Type, { type Static } from 'typebox'
import { answerOf, bytes, count, protocolsSchema, share } from './common.ts'
import { streamSchema } from './lists.ts'

export const workerSchema = Type.Object({
  role: Type.Enum(['master', 'stream', 'back-source', 'http']),
  index: Type.Integer({ description: 'Tells the processes of a role apart; a replacement has the same.' }),
  pid: Type.Integer(),
  state: Type.Enum(['running', 'starting', 'silent'], {
    description: 'silent: it does not answer. Nothing of what follows is there unless it is running.',
  }),
  uptime: Type.Optional(Type.Number({ description: 'Seconds.' })),
  cpu_ms: Type.Optional(Type.Integer({ description: 'Since its start.' })),
  cpu_percent: Type.Optional(share('In cores, over the last 5 to 10 seconds: 1 is one core.')),
  rss_bytes: Type.Optional(bytes('Resident memory.')),
  event_loop: Type.Optional(
    Type.Object({
      utilization: share('The share of the last 5 to 10 seconds in which it was busy, 0 to 1.'),
      delay_ms: Type.Integer({ description: 'The longest that a timer was late in that time.' }),
    }),
  ),
  connections: Type.Optional(count('Of clients; in a back-source, those to workers.')),
  streams: Type.Optional(count('That it holds, relays or sends.')),
})

export const workersAnswer = answerOf({ workers: Type.Array(workerSchema) })

export const programSchema = Type.Object({
  kind: Type.Enum(['transcode', 'exec', 'ingest']),
  name: Type.String({ description: 'Of the engine or the ingest; of exec, the number of its line.' }),
  vhost: Type.String(),
  stream: Type.String({ description: 'The id of the stream that it runs for; empty for an ingest.' }),
  state: Type.Enum(['running', 'waiting', 'stopping', 'stopped'], {
    description: 'waiting: it ended, and is started again soon.',
  }),
  pid: Type.Integer({ description: '0 unless it runs.' }),
  restarts: count('How often it was started after it had ended.'),
  last_error: Type.String({ description: 'Why it ended when it last failed, with the last line it wrote.' }),
  uptime: Type.Number({ description: 'Seconds; 0 unless it runs.' }),
})

export const programsAnswer = answerOf({ programs: Type.Array(programSchema) })

/** The names of settings and virtual hosts that differ. */
const changes = Type.Object({
  global: Type.Array(Type.String()),
  vhosts: Type.Object({
    added: Type.Array(Type.String()),
    removed: Type.Array(Type.String()),
    changed: Type.Record(Type.String(), Type.Array(Type.String())),
  }),
})

export const reloadAnswer = answerOf({
  applied: Type.Boolean({ description: 'False: nothing has changed.' }),
  changes: Type.Optional(changes),
  warnings: Type.Optional(Type.Array(Type.String())),
  at_next_start: Type.Optional(
    Type.Array(Type.String(), {
      description: 'Settings that differ and hold until the server is started anew.',
    }),
  ),
  error: Type.Optional(Type.Object({ code: Type.String(), message: Type.String() })),
})

const flag = Type.Boolean()
export const rawAnswer = answerOf({
  http_api: Type.Optional(
    Type.Object({
      enabled: flag,
      listen: Type.String(),
      crossdomain: flag,
      raw_api: Type.Object({ enabled: flag, allow_reload: flag, allow_query: flag, allow_update: flag }),
    }),
  ),
})

export const totalsSchema = Type.Object({
  clients: count('Players and publishers.'),
  publishers: count('Those who publish.'),
  players: protocolsSchema,
  send_bytes: bytes('To clients.'),
  recv_bytes: bytes('From clients.'),
})

/** The data of one event. */
export const snapshotSchema = Type.Object({
  now_ms: Type.Integer({ description: 'Milliseconds since 1970.' }),
  version: Type.String(),
  uptime: Type.Number({ description: 'Of the server, in seconds.' }),
  connections: count('That count against max_connections.'),
  max_connections: Type.Integer(),
  refused_connections: count('Since the start.'),
  totals: totalsSchema,
  workers: Type.Array(workerSchema),
  streams: Type.Array(streamSchema, { description: 'The first 1000.' }),
  streams_total: count('All streams.'),
})

export const healthSchema = Type.Object({
  status: Type.Enum(['ok', 'unavailable']),
  reason: Type.Optional(Type.String()),
})

export type Health = Static<typeof healthSchema>
export type ProgramData = Static<typeof programSchema>
export type WorkerData = Static<typeof workerSchema>
export type ReloadData = Static<typeof reloadAnswer>
export type Totals = Static<typeof totalsSchema>
export type Snapshot = Static<typeof snapshotSchema>
