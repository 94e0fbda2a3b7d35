import type { FastifyInstance } from 'fastify'
import { plainIp } from '../../base/plain-ip.ts'
import { defaultVhost } from '../../config/vhost-of.ts'
import type { UpstreamInfo } from '../../ipc/contract.ts'
import type { DvrStatus } from '../../ipc/dvr-status.ts'
import type { ForwardStatus } from '../../ipc/forward-facts.ts'
import type { PushStatus } from '../../ipc/push-facts.ts'
import { splitStreamId, streamTag } from '../../live/stream-key.ts'
import { urlOf } from '../../worker/client-json.ts'
import type { StreamView, TrafficView } from '../views.ts'
import type { ApiHost } from './api-host.ts'
import { codes, envelope } from './envelope.ts'
import { pageQuery, searchOf } from './paging.ts'
import { resource } from './resource.ts'
import type { StreamData, VhostData } from './schema/lists.ts'

/** The lists of SRS: virtual hosts, streams and clients, right over all workers. */
export function registerLists(fastify: FastifyInstance, host: ApiHost): void {
  registerVhosts(fastify, host)
  registerStreams(fastify, host)
  registerClients(fastify, host)
}

function registerVhosts(fastify: FastifyInstance, host: ApiHost): void {
  const traffic = async () => {
    const { traffic } = await host.inspector.traffic()
    return new Map(traffic.map((view) => [view.vhost, view]))
  }
  resource(fastify, host, '/api/v1/vhosts', {
    GET: async () => {
      const views = await traffic()
      const vhosts = Object.keys(host.config.vhosts).map((name) => vhostData(host, name, views.get(name)))
      return { ...envelope(host.identity), vhosts }
    },
  })
  resource(fastify, host, '/api/v1/vhosts/:id', {
    GET: async (request) => {
      const id = idOf(request)
      if (!Object.hasOwn(host.config.vhosts, id)) return envelope(host.identity, codes.notFound)
      return { ...envelope(host.identity), vhost: vhostData(host, id, (await traffic()).get(id)) }
    },
  })
}

function registerStreams(fastify: FastifyInstance, host: ApiHost): void {
  const { inspector } = host
  resource(fastify, host, '/api/v1/streams', {
    GET: async ({ query }) => {
      const { start, count } = pageQuery(query)
      const { items, total } = await inspector.streams(start, count)
      return { ...envelope(host.identity), streams: items.map(streamData), total }
    },
  })
  resource(fastify, host, '/api/v1/streams/:id', {
    GET: async (request) => {
      const stream = await inspector.stream(idOf(request))
      return stream === null
        ? envelope(host.identity, codes.notFound)
        : { ...envelope(host.identity), stream: streamData(stream) }
    },
    DELETE: async (request) => {
      const id = idOf(request)
      const unpublished = await inspector.unpublish(id)
      if (unpublished)
        host.logger.warn({ id, ip: plainIp(request.ip) }, 'api: a stream was taken from its publisher')
      return envelope(host.identity, unpublished ? 0 : codes.notFound)
    },
  })
}

const jsonType = 'application/json; charset=utf-8'
const comma = Buffer.from(',')

/** Clients come as JSON from the workers that have them. */
function registerClients(fastify: FastifyInstance, host: ApiHost): void {
  const { inspector } = host
  /** An answer without its end. */
  const opening = (): string => JSON.stringify(envelope(host.identity)).slice(0, -1)
  resource(fastify, host, '/api/v1/clients', {
    GET: async ({ query }, reply) => {
      const { start, count } = pageQuery(query)
      const { items, total } = await inspector.clients(start, count, searchOf(query))
      const parts = items.flatMap((part, index) => (index === 0 ? [part] : [comma, part]))
      const [before, after] = [`${opening()},"clients":[`, `],"total":${total}}`]
      return reply.type(jsonType).send(Buffer.concat([Buffer.from(before), ...parts, Buffer.from(after)]))
    },
  })
  resource(fastify, host, '/api/v1/clients/:id', {
    GET: async (request, reply) => {
      const client = await inspector.client(idOf(request))
      if (client === null) return envelope(host.identity, codes.clientNotFound)
      const before = Buffer.from(`${opening()},"client":`)
      return reply.type(jsonType).send(Buffer.concat([before, client, Buffer.from('}')]))
    },
    DELETE: async (request) => {
      const id = idOf(request)
      const kicked = await inspector.kick(id)
      if (kicked) host.logger.warn({ id, ip: plainIp(request.ip) }, 'api: a client was kicked')
      return envelope(host.identity, kicked ? 0 : codes.clientNotFound)
    },
  })
}

function idOf({ params }: { params: unknown }): string {
  return (params as { id: string }).id
}

/** @param view absent: it has had no clients */
export function vhostData(host: ApiHost, name: string, view: TrafficView | undefined): VhostData {
  const { enabled, hls } = host.config.vhosts[name]!
  return {
    ...{ id: name, name, enabled, clients: view?.clients ?? 0, streams: view?.streams ?? 0 },
    send_bytes: view?.sendBytes ?? 0,
    recv_bytes: view?.recvBytes ?? 0,
    kbps: { recv_30s: view?.recvKbps ?? 0, send_30s: view?.sendKbps ?? 0 },
    hls: hls.enabled ? { enabled: true, fragment: hls.hlsFragment } : { enabled: false },
  }
}

/** What is not known has the value that SRS gives it. */
const unknown = 'Other'

export function streamData(view: StreamView): StreamData {
  const { vhost, app, stream } = splitStreamId(view.stream)
  const { video, audio } = view
  return {
    ...{ id: streamTag(view.stream), name: stream, vhost, app },
    ...{ tcUrl: tcUrlOf(view.tcUrl, vhost, app), url: urlOf(vhost, app, stream), live_ms: Date.now() },
    ...{ clients: view.clients, frames: view.frames, send_bytes: view.sendBytes, recv_bytes: view.recvBytes },
    kbps: { recv_30s: view.recvKbps, send_30s: view.sendKbps },
    publish: { active: view.sourceId !== '', cid: view.sourceId },
    video: video && {
      codec: video.codec,
      profile: video.profile ?? unknown,
      level: video.level ?? unknown,
      width: video.width ?? 0,
      height: video.height ?? 0,
    },
    audio: audio && {
      codec: audio.codec,
      sample_rate: audio.sampleRate ?? 0,
      channel: audio.channels ?? 0,
      profile: audio.profile ?? unknown,
    },
    ...{ publish_ms: Math.round(view.publishMs), players: view.players, hls: view.hls },
    dvr: view.dvr && dvrData(view.dvr),
    forwards: view.forwards.map(forwardData),
    upstream: view.upstream && upstreamData(view.upstream),
    push: view.push && pushData(view.push),
  }
}

/**
 * The address of a stream's application, as its publisher reached it: SRS's console shows it for players to use. Of what the
 * publisher gave, nothing is passed on but the server: the rest may be a secret.
 */
function tcUrlOf(given: string, vhost: string, app: string): string {
  const [, schema, host, port = ''] =
    /^(rtmps?):\/\/(?:[^/@]*@)?([^/?#@:[\]]+|\[[0-9a-f:.]+\])(:\d+)?(?:[/?#]|$)/i.exec(given) ?? []
  if (host === undefined) return `rtmp://${vhost}/${app}`
  const isNamed = vhost === defaultVhost || host === vhost
  return `${schema}://${host}${port}/${app}${isNamed ? '' : `?vhost=${encodeURIComponent(vhost)}`}`
}

function upstreamData({ address, connectionId, serverId, pid }: UpstreamInfo): StreamData['upstream'] {
  return { address, connection_id: connectionId, server_id: serverId, pid }
}

function pushData({ address, connectionId, ...push }: PushStatus): StreamData['push'] {
  const { bytesOut, packetsDropped, retries, lastError } = push
  return {
    ...{ address, connection_id: connectionId, send_bytes: bytesOut, dropped: packetsDropped },
    ...{ retries, last_error: lastError },
  }
}

function forwardData(forward: ForwardStatus): StreamData['forwards'][number] {
  const { destination, state, bytesOut, packetsDropped, retries, lastError } = forward
  return {
    ...{ destination, state, send_bytes: bytesOut, dropped: packetsDropped, retries, last_error: lastError },
  }
}

function dvrData({ durationMs, ...dvr }: DvrStatus): StreamData['dvr'] {
  return { ...dvr, duration: durationMs / 1000 }
}
