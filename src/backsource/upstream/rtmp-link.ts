import { type AmfRecord, getNumber, getString } from '../../media/amf-value.ts'
import type { LinkOptions, UpstreamLink, UpstreamPeer } from './upstream-link.ts'
import type { UpstreamUrl } from './upstream-url.ts'

/** Plays a stream of another server over RTMP. @see OpenLink */
export async function openRtmpLink(at: UpstreamUrl, options: LinkOptions): Promise<UpstreamLink> {
  const { timeoutMs, signal, onPacket } = options
  // A back-source that pulls nothing does not load the client.
  const { RtmpClient } = await import('../../client/rtmp-client.ts')
  const closed = Promise.withResolvers<Error | null>()
  const tcUrl = at.tcUrl === undefined ? {} : { tcUrl: at.tcUrl }
  const client = await RtmpClient.connect(at.url, {
    ...{ timeoutMs, signal, onPacket, ...tcUrl },
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

/** @param information what a server has answered to connect; its data has the fields of SRS, and ours */
export function peerOf(information: AmfRecord | null): UpstreamPeer {
  const data = information?.get('data')
  const text = (key: string): string => getString(data, key) ?? String(getNumber(data, key) ?? '')
  return { connectionId: text('srs_id'), serverId: text('srs_server_id'), pid: text('srs_pid') }
}
