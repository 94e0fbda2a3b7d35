import type { FastifyInstance } from 'fastify'
import type { ClientInfo } from '../../ipc/contract.ts'
import type { ApiHost } from './api-host.ts'
import { envelope } from './envelope.ts'
import { pageQuery } from './paging.ts'

/** SRS: there is no such client. */
const clientNotFound = 2049

/** `/api/v1/clients`: who publishes and plays, in all workers; `DELETE` closes a connection. */
export function registerClients(fastify: FastifyInstance, host: ApiHost): void {
  const { inspector } = host
  fastify.get('/api/v1/clients', async (request) => {
    const { start, count } = pageQuery(request.query)
    const { items, total } = await inspector.clients(start, count)
    return { ...envelope(host.identity), clients: items.map(clientData), total }
  })
  fastify.get<{ Params: { id: string } }>('/api/v1/clients/:id', async ({ params }) => {
    const client = await inspector.client(params.id)
    return client === null
      ? envelope(host.identity, clientNotFound)
      : { ...envelope(host.identity), client: clientData(client) }
  })
  fastify.delete<{ Params: { id: string } }>('/api/v1/clients/:id', async ({ params }) => {
    return envelope(host.identity, (await inspector.kick(params.id)) ? 0 : clientNotFound)
  })
}

function clientData(client: ClientInfo) {
  const { id, vhost, app, stream, ip, pageUrl, swfUrl, tcUrl, type, protocol, publish } = client
  return {
    ...{ id, vhost, stream, ip, pageUrl, swfUrl, tcUrl },
    ...{ url: `/${app}/${stream}`, name: stream, type, protocol, publish },
    alive: Number(client.aliveSeconds.toFixed(3)),
    send_bytes: client.sendBytes,
    recv_bytes: client.recvBytes,
  }
}
