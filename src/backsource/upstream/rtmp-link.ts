import { tlsOptions } from '../../config/tls-trust.ts'
import { edgeArguments, peerOf } from '../../rtmp/edge-identity.ts'
import { formatRoute, routeField } from '../../rtmp/forward-route.ts'
import type { LinkOptions, UpstreamLink } from './upstream-link.ts'
import type { UpstreamUrl } from './upstream-url.ts'

/** Plays a stream of another server over RTMP. @see OpenLink */
export async function openRtmpLink(at: UpstreamUrl, options: LinkOptions): Promise<UpstreamLink> {
  const { timeoutMs, signal, onPacket, identity, route, trust } = options
  // A back-source that pulls nothing does not load the client.
  const { RtmpClient } = await import('../../client/rtmp-client.ts')
  const closed = Promise.withResolvers<Error | null>()
  const tcUrl = at.tcUrl === undefined ? {} : { tcUrl: at.tcUrl }
  const client = await RtmpClient.connect(at.url, {
    ...{ timeoutMs, signal, onPacket, ...tcUrl, tls: await tlsOptions(trust) },
    ...(identity === null ? {} : { connectArgs: edgeArguments(identity) }),
    connectFields: { [routeField]: formatRoute(route) },
    onClose: closed.resolve,
  })
  await client.play()
  return {
    peer: peerOf(client.information),
    get bytesReceived() {
      return client.bytesReceived
    },
    closed: closed.promise,
    close: () => client.close(),
  }
}
