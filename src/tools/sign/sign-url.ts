import { signedQuery } from '../../access/signed-url.ts'
import { WeirError } from '../../base/errors.ts'
import { parseRtmpUrl } from '../../client/rtmp-url.ts'
import type { Config } from '../../config/config.ts'
import { vhostNameOf, vhostOf } from '../../config/vhost-of.ts'
import { streamId } from '../../live/stream-key.ts'
import { checkName, decodeName } from '../../rtmp/names.ts'
import { parseTcUrl } from '../../rtmp/tc-url.ts'

/** What a signed URL is to say. */
export interface SignOptions {
  readonly action: 'publish' | 'play'
  /** Seconds since 1970. */
  readonly expires: number
  /** Instead of the first secret of the virtual host. */
  readonly secret?: string
}

interface Address {
  /** The virtual host asked for. */
  readonly vhost: string
  readonly app: string
  readonly stream: string
}

/**
 * Signs the URL of a stream with the secret of its virtual host.
 * @param url `rtmp://`, `rtmps://`, or `http://`, `https://`, `ws://`, `wss://` and `/APP/STREAM.ENDING`; a `vhost=` in its
 *   query counts
 * @throws WeirError SIGN when the URL is none of these, or there is no secret; RTMP_NAME, RTMP_COMMAND
 */
export function signUrl(config: Config, url: string, { action, expires, secret }: SignOptions): string {
  const { vhost: asked, app, stream } = /^rtmps?:/i.test(url) ? rtmpAddress(url) : httpAddress(url)
  const vhost = vhostNameOf(config, asked)
  const used = secret ?? vhostOf(config, asked)?.auth.secret[0]
  if (vhost === null) throw new WeirError('SIGN', `there is no vhost ${asked} in the configuration`)
  if (used === undefined) {
    throw new WeirError('SIGN', `vhost ${vhost} has no auth { secret }: add one, or give --secret`)
  }
  const query = signedQuery(used, { action, stream: streamId({ vhost, app, stream }), expires })
  return `${url}${url.includes('?') ? '&' : '?'}${query}`
}

function rtmpAddress(url: string): Address {
  const { tcUrl, app, stream } = parseRtmpUrl(url)
  return parseTcUrl(tcUrl, app, stream)
}

/** As the standard mounts of http_remux and the standard names of HLS have it. */
function httpAddress(url: string): Address {
  const { protocol, hostname, pathname, searchParams } = URL.parse(url) ?? {}
  const [, app, stream] = /^\/(.+)\/([^/]+)\.[a-z0-9]+$/i.exec(pathname ?? '') ?? []
  const isKnown = ['http:', 'https:', 'ws:', 'wss:'].includes(protocol ?? '')
  if (!isKnown || app === undefined || stream === undefined) {
    throw new WeirError('SIGN', `${url} is not rtmp://HOST/APP/STREAM or http://HOST/APP/STREAM.ENDING`)
  }
  return {
    vhost: searchParams?.get('vhost') || (hostname ?? '').replace(/^\[|\]$/g, ''),
    app: checkName('app', decodeName('app', app)),
    stream: checkName('stream', decodeName('stream', stream)),
  }
}
