/** RTMP URLs as a client is given them: `rtmp://host[:port]/app[/instance]/stream[?query]`, or `rtmps://…` over TLS. */
import { WeirError } from '../base/errors.ts'
import { defaultRtmpPort } from '../rtmp/tc-url.ts'

/** The TCP port of an RTMPS URL without one. */
export const defaultRtmpsPort = 443

export interface RtmpUrl {
  /** Over TLS. */
  readonly secure: boolean
  /** Without the brackets of an IPv6 address. */
  readonly host: string
  readonly port: number
  /** Application, with instance and, if it stands before the stream, its query. */
  readonly app: string
  /** Stream name with its query. */
  readonly stream: string
  /** What connect tells the server about where it is: the URL without the stream, with the port. */
  readonly tcUrl: string
}

/**
 * Takes a URL apart; nothing is decoded. The stream is the last segment of the path and has the query, except in SRS's
 * older form `rtmp://host/app?vhost=V/stream`, where the application has it.
 * @throws WeirError RTMP_NAME when it is no RTMP URL or lacks the application or the stream
 */
export function parseRtmpUrl(url: string): RtmpUrl {
  const match = /^(rtmps?):\/\/(\[[0-9a-f:.]+\]|[^:/?[\]]+)(?::(\d{1,5}))?\/(.*)$/is.exec(url)
  const [, schema = '', authority = '', portText, path = ''] = match ?? []
  const secure = schema.toLowerCase() === 'rtmps'
  const port = Number(portText ?? (secure ? defaultRtmpsPort : defaultRtmpPort))
  if (match === null || port < 1 || port > 65535)
    throw new WeirError('RTMP_NAME', `${url} is not rtmp://host/app/stream or rtmps://host/app/stream`)
  const query = path.indexOf('?')
  const slash = query < 0 ? path.lastIndexOf('/') : path.lastIndexOf('/', query)
  const split = slash < 0 ? path.lastIndexOf('/') : slash
  const app = path.slice(0, Math.max(split, 0))
  const stream = path.slice(split + 1)
  if (app === '' || stream === '' || stream.startsWith('?')) {
    throw new WeirError('RTMP_NAME', `${url} lacks an application or a stream`)
  }
  return assembleRtmpUrl({ secure, authority, port, app, stream })
}

/** The parts of a URL as they stand in it; the authority is the host, with the brackets of an IPv6 address. */
export function assembleRtmpUrl(
  parts: Pick<RtmpUrl, 'secure' | 'port' | 'app' | 'stream'> & { readonly authority: string },
): RtmpUrl {
  const { authority, ...url } = parts
  return {
    ...url,
    host: authority.startsWith('[') ? authority.slice(1, -1) : authority,
    tcUrl: `${url.secure ? 'rtmps' : 'rtmp'}://${authority}:${url.port}/${url.app}`,
  }
}
