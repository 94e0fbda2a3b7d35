import { defaultVhost } from '../../config/vhost-of.ts'
import type { StreamId } from '../../ipc/contract.ts'
import { splitStreamId } from '../../live/stream-key.ts'

/** A stream on another server. */
export interface UpstreamUrl {
  readonly url: string
  /** What RTMP tells that server of the address, when it is not the URL's own. */
  readonly tcUrl?: string
}

/**
 * A stream on another server, of the same application and name; over HTTP, as HTTP-FLV.
 * @param address base address, such as `rtmp://192.0.2.1:1935` or `https://192.0.2.1:8443`
 * @param vhostTemplate the virtual host there; `[vhost]` stands for the stream's own
 */
export function upstreamUrl(address: string, stream: StreamId, vhostTemplate: string): UpstreamUrl {
  const key = splitStreamId(stream)
  const [app, name] = [encode(key.app), encode(key.stream)]
  const vhost = vhostTemplate.replaceAll('[vhost]', key.vhost)
  const isDefault = vhost === defaultVhost
  if (address.startsWith('http')) {
    return { url: `${address}/${app}/${name}.flv${isDefault ? '' : `?vhost=${encode(vhost)}`}` }
  }
  const url = `${address}/${app}/${name}`
  if (isDefault) return { url }
  const [schema] = address.split('://')
  return { url, tcUrl: `${schema}://${vhost}${/:\d+$/.exec(address)?.[0] ?? ''}/${app}` }
}

/** Names are percent-decoded here; a server decodes them anew. */
function encode(name: string): string {
  return name.replace(/[%?&#\s]/g, encodeURIComponent)
}
