/** The origin cluster: its nodes, and where each stream is. */
import Type, { type Static } from 'typebox'
import { answerOf, count } from './common.ts'

const nodeSchema = Type.Object({
  node: Type.String({ description: 'Its name.' }),
  rtmp: Type.String({ description: 'Where it is reached over RTMP.' }),
  http: Type.String({ description: 'Where its HTTP server is; empty if it has not told.' }),
  version: Type.String(),
  server: Type.String({ description: 'Its server id: another one after each start.' }),
  streams: count('That are published there.'),
  uptime: Type.Integer({ description: 'Seconds.' }),
  age: Type.Number({ description: 'Since it was heard of, in seconds.' }),
  alive: Type.Boolean({
    description: 'It was heard of within a lease. A dead one is shown for ten minutes.',
  }),
})

const streamSchema = Type.Object({
  id: Type.String({ description: 'As in /api/v1/streams.' }),
  name: Type.String(),
  vhost: Type.String(),
  app: Type.String(),
  node: Type.String({ description: 'The node that owns it.' }),
  rtmp: Type.String({ description: 'Where that node is reached over RTMP.' }),
})

export const clusterSchema = Type.Object({
  registry: Type.Enum(['memory', 'redis'], {
    description: 'memory: this server works alone, and there is nothing to tell.',
  }),
  node: Type.String({ description: 'The name of this node.' }),
  connected: Type.Boolean({
    description: 'Whether Redis has answered last. While it does not, nodes and streams are empty.',
  }),
  held: count('Streams that are published at this node.'),
  outages: count('How often Redis went away.'),
  accepted_alone: count('Streams that were taken while it was.'),
  lost: count('Streams that turned out to be another node’s, whose publishers were closed.'),
  nodes: Type.Array(nodeSchema),
  streams: Type.Array(streamSchema, { description: 'A page of those of all nodes.' }),
  total: count('Length of the whole list of streams.'),
})

export const clusterAnswer = answerOf({ cluster: clusterSchema })

export type ClusterData = Static<typeof clusterSchema>
