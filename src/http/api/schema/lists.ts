/** Virtual hosts, streams and clients. */
import Type, { type Static } from 'typebox'
import { answerOf, bytes, count, kbpsSchema, protocolsSchema } from './common.ts'

const hls = Type.Object({
  enabled: Type.Boolean(),
  fragment: Type.Optional(Type.Number({ description: 'hls_fragment, in seconds.' })),
})

export const vhostSchema = Type.Object({
  id: Type.String({ description: 'Its name.' }),
  name: Type.String(),
  enabled: Type.Boolean(),
  clients: count('Players and publishers.'),
  streams: count('Published, or waiting for their publisher to return.'),
  send_bytes: bytes('To its clients since they are counted.'),
  recv_bytes: bytes('From its clients since they are counted.'),
  kbps: kbpsSchema,
  hls,
})

export const videoSchema = Type.Object({
  codec: Type.String(),
  profile: Type.String({ description: 'Other: not known.' }),
  level: Type.String({ description: 'Other: not known.' }),
  width: Type.Integer({ description: 'Pixels; 0: not known.' }),
  height: Type.Integer({ description: 'Pixels; 0: not known.' }),
})

export const audioSchema = Type.Object({
  codec: Type.String(),
  sample_rate: Type.Integer({ description: 'Samples a second; 0: not known.' }),
  channel: Type.Integer({ description: '0: not known.' }),
  profile: Type.String({ description: 'Other: not known.' }),
})

export const streamSchema = Type.Object({
  id: Type.String({ description: 'The same as long as the stream has this name.' }),
  name: Type.String(),
  vhost: Type.String({ description: 'Id of its virtual host.' }),
  app: Type.String(),
  tcUrl: Type.String(),
  url: Type.String({ description: '/app/stream, behind the virtual host if that is not the default one.' }),
  live_ms: Type.Integer({ description: 'The time of this answer, in milliseconds since 1970, as in SRS.' }),
  clients: count('Players and the publisher, in all workers.'),
  frames: count('Video frames that came.'),
  send_bytes: bytes('To players.'),
  recv_bytes: bytes('From publishers.'),
  kbps: kbpsSchema,
  publish: Type.Object({
    active: Type.Boolean({ description: 'Whether somebody publishes it.' }),
    cid: Type.String({ description: 'Client id of the publisher; empty without one.' }),
  }),
  video: Type.Union([videoSchema, Type.Null()]),
  audio: Type.Union([audioSchema, Type.Null()]),
  publish_ms: Type.Integer({ description: 'Since the publisher began; 0 without one.' }),
  players: protocolsSchema,
  hls: Type.Union([
    Type.Object({
      enabled: Type.Boolean(),
      fragment: Type.Number(),
      sequence: Type.Integer({ description: 'Number of the newest segment; -1: none yet.' }),
      segments: Type.Integer({ description: 'In the playlist.' }),
      lost: Type.Integer({ description: 'Segments that could not be written.' }),
    }),
    Type.Null(),
  ]),
  dvr: Type.Union([
    Type.Object({
      enabled: Type.Boolean(),
      plan: Type.String({ description: 'session, segment or append.' }),
      recording: Type.Boolean({ description: 'Whether a file is being written.' }),
      file: Type.String({ description: 'What that file will be called; empty if there is none.' }),
      bytes: bytes('Of that file, so far.'),
      duration: Type.Number({ description: 'Seconds, of that file, so far.' }),
      files: count('Recordings that are whole, since the stream has its back-source.'),
      errors: count('How often one could not be written.'),
    }),
    Type.Null(),
  ]),
  forwards: Type.Array(
    Type.Object({
      destination: Type.String({
        description: 'host:port; behind it the application, if a backend named it.',
      }),
      state: Type.Enum(['waiting', 'connecting', 'forwarding', 'retrying', 'refused']),
      send_bytes: bytes('To that server.'),
      dropped: count('Packets that it was too slow for.'),
      retries: count('Attempts that followed a failure.'),
      last_error: Type.Union([Type.String(), Type.Null()]),
    }),
    { description: 'The servers that the stream is forwarded to.' },
  ),
  upstream: Type.Union([
    Type.Object({
      address: Type.String({ description: 'rtmp://host:port' }),
      connection_id: Type.String({ description: 'What the log of that server calls the connection.' }),
      server_id: Type.String({ description: 'As that server tells it; empty: it does not.' }),
      pid: Type.String({ description: 'Of the process there, likewise.' }),
    }),
    Type.Null({ description: 'It is not pulled, or nothing comes at the moment.' }),
  ]),
  push: Type.Union([
    Type.Object({
      address: Type.String({ description: 'rtmp://host:port; empty: no server takes it at the moment.' }),
      connection_id: Type.String({ description: 'What the log of that server calls the connection.' }),
      send_bytes: bytes('To that server, and those before it.'),
      dropped: count('Packets that it was too slow for.'),
      retries: count('Attempts that followed the first one.'),
      last_error: Type.Union([Type.String(), Type.Null()]),
    }),
    Type.Null({ description: 'Its publisher is not passed on to an origin.' }),
  ]),
})

export const clientSchema = Type.Object({
  id: Type.String({ description: 'Connection id, as in the log.' }),
  vhost: Type.String({ description: 'Id of its virtual host.' }),
  stream: Type.String({ description: 'Id of its stream.' }),
  ip: Type.String(),
  pageUrl: Type.String(),
  swfUrl: Type.String(),
  tcUrl: Type.String(),
  url: Type.String({ description: 'As that of its stream.' }),
  name: Type.String({ description: 'Name of its stream.' }),
  type: Type.String({ description: 'fmle-publish, flash-publish, haivision-publish, rtmp-play, flv-play …' }),
  publish: Type.Boolean(),
  alive: Type.Number({ description: 'Seconds.' }),
  send_bytes: bytes('To the client.'),
  recv_bytes: bytes('From the client.'),
  kbps: kbpsSchema,
  protocol: Type.String({ description: 'rtmp, http-flv, ws-flv, http-ts …' }),
})

const total = count('Length of the whole list.')

export const vhostsAnswer = answerOf({ vhosts: Type.Array(vhostSchema) })
export const vhostAnswer = answerOf({ vhost: vhostSchema })
export const streamsAnswer = answerOf({ streams: Type.Array(streamSchema), total })
export const streamAnswer = answerOf({ stream: streamSchema })
export const clientsAnswer = answerOf({ clients: Type.Array(clientSchema), total })
export const clientAnswer = answerOf({ client: clientSchema })

export type VhostData = Static<typeof vhostSchema>
export type StreamData = Static<typeof streamSchema>
export type ClientData = Static<typeof clientSchema>
