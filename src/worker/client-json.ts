import { defaultVhost } from '../config/vhost-of.ts'
import type { ClientInfo } from '../ipc/contract.ts'
import { streamId, streamTag } from '../live/stream-key.ts'

/**
 * A client as the API tells it (SRS's fields), as JSON. It is made where the client is: a list of a thousand would keep the
 * HTTP worker busy for longer than all the workers that have them.
 */
export function clientJson(client: ClientInfo): string {
  const { id, vhost, app, stream, ip, pageUrl, swfUrl, tcUrl, type, protocol, publish } = client
  return JSON.stringify({
    id,
    vhost,
    stream: streamTag(streamId({ vhost, app, stream })),
    ip,
    pageUrl,
    swfUrl,
    tcUrl,
    url: urlOf(vhost, app, stream),
    name: stream,
    type,
    publish,
    alive: Math.round(client.aliveSeconds * 1000) / 1000,
    send_bytes: client.sendBytes,
    recv_bytes: client.recvBytes,
    kbps: { recv_30s: client.recvKbps, send_30s: client.sendKbps },
    protocol,
  })
}

/** As SRS has it: the default virtual host is not named. */
export function urlOf(vhost: string, app: string, stream: string): string {
  return `${vhost === defaultVhost ? '' : vhost}/${app}/${stream}`
}

/** Whether what somebody looks for is in the id, the address, the stream, the protocol or the type of a client. */
export function isFound(client: Omit<ClientInfo, 'sendKbps' | 'recvKbps'>, lowerCase: string): boolean {
  const { id, ip, vhost, app, stream, protocol, type } = client
  return `${id} ${ip} ${urlOf(vhost, app, stream)} ${protocol} ${type}`.toLowerCase().includes(lowerCase)
}
