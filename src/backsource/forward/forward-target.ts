import { WeirError } from '../../base/errors.ts'
import { defaultRtmpsPort } from '../../client/rtmp-url.ts'
import { defaultVhost } from '../../config/vhost-of.ts'
import type { StreamId } from '../../ipc/contract.ts'
import { splitStreamId } from '../../live/stream-key.ts'
import { defaultRtmpPort } from '../../rtmp/tc-url.ts'

/** Where a stream is forwarded to. */
export interface ForwardTarget {
  /** `host:port`; behind it the application, if a backend names it. Stream names are often secrets: they are left out. */
  readonly name: string
  readonly url: string
  /** What is told of the address in connect, when that is not the URL's own. */
  readonly tcUrl?: string
}

/**
 * The stream on a server of `destination`: of the same virtual host, application and name, with the query that its
 * publisher gave, as SRS forwards it.
 * @param destination `host` or `host:port`, or the same behind `rtmp://` or `rtmps://`
 * @param param the query with its `?`, or ''
 * @throws WeirError FORWARD_DESTINATION
 */
export function targetOn(destination: string, stream: StreamId, param: string): ForwardTarget {
  const [, schema = 'rtmp', host, digits] =
    /^(?:(rtmps?):\/\/)?(\[[\da-f:.]+\]|[^\s:/?[\]]+)(?::(\d{1,5}))?$/i.exec(destination) ?? []
  const defaultPort = schema === 'rtmps' ? defaultRtmpsPort : defaultRtmpPort
  const port = Number(digits ?? defaultPort)
  if (host === undefined || port < 1 || port > 65_535) {
    throw new WeirError('FORWARD_DESTINATION', `${destination} is neither host nor host:port`)
  }
  const key = splitStreamId(stream)
  const app = encode(key.app)
  const vhost = key.vhost === defaultVhost ? host : key.vhost
  return {
    name: `${host}:${port}`,
    url: `${schema}://${host}:${port}/${app}/${encode(key.stream)}${param}`,
    tcUrl: `${schema}://${vhost}${port === defaultPort ? '' : `:${port}`}/${app}`,
  }
}

/**
 * What a backend names.
 * @throws WeirError FORWARD_DESTINATION
 */
export function targetOfUrl(url: string): ForwardTarget {
  const [, schema = '', host, digits, app] =
    /^(rtmps?):\/\/(\[[\da-f:.]+\]|[^\s:/?[\]]+)(?::(\d{1,5}))?\/([^\s/?]+)[/?]\S+$/i.exec(url) ?? []
  if (host === undefined) {
    throw new WeirError(
      'FORWARD_DESTINATION',
      'the backend named something that is no rtmp://host/app/stream',
    )
  }
  const port = digits ?? (schema.toLowerCase() === 'rtmps' ? defaultRtmpsPort : defaultRtmpPort)
  return { name: `${host}:${port}/${app}`, url }
}

/** Names are percent-decoded here; a server decodes them anew. */
function encode(name: string): string {
  return name.replace(/[%?&#\s]/g, encodeURIComponent)
}
