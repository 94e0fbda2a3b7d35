import type { FastifyInstance } from 'fastify'
import type { ClusterStatus } from '../../ipc/cluster-facts.ts'
import { splitStreamId, streamTag } from '../../live/stream-key.ts'
import type { ApiHost } from './api-host.ts'
import { envelope } from './envelope.ts'
import { pageQuery } from './paging.ts'
import { resource } from './resource.ts'
import type { ClusterData } from './schema/cluster.ts'

/** The cluster: its nodes, and where each stream is. */
export function registerCluster(fastify: FastifyInstance, host: ApiHost): void {
  resource(fastify, host, '/api/v1/cluster', {
    GET: async ({ query }) => {
      const { start, count } = pageQuery(query)
      const cluster = await host.inspector.cluster(start, count)
      return { ...envelope(host.identity), cluster: clusterData(cluster) }
    },
  })
}

const alone: ClusterStatus = {
  ...{ node: '', connected: false, held: 0, outages: 0, acceptedAlone: 0, lost: 0 },
  ...{ nodes: [], streams: [], total: 0 },
}

function clusterData(cluster: ClusterStatus | null): ClusterData {
  const { acceptedAlone, nodes, streams, ...facts } = cluster ?? alone
  return {
    registry: cluster === null ? 'memory' : 'redis',
    ...facts,
    accepted_alone: acceptedAlone,
    nodes: nodes.map(({ serverId, uptimeSeconds, ageMs, ...node }) => ({
      ...node,
      ...{ server: serverId, uptime: uptimeSeconds, age: ageMs / 1000 },
    })),
    streams: streams.map(({ stream, node, rtmp }) => {
      const { vhost, app, stream: name } = splitStreamId(stream)
      return { id: streamTag(stream), name, vhost, app, node, rtmp }
    }),
  }
}
