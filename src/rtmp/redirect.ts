/**
 * How an RTMP server sends a client to another: the refusal has an `ex` with the code 302 in it. Flash Media Server
 * refuses the connect so (`_error`), SRS the publish or play (`onStatus` of the connection).
 */
import { defaultVhost } from '../config/vhost-of.ts'
import {
  type AmfRecord,
  type AmfValue,
  amfObject,
  asRecord,
  getNumber,
  getString,
} from '../media/amf-value.ts'

/** Where a client is sent. At least one of the two is given; the other may be ''. */
export interface Redirect {
  /** What to connect to, without the stream: `rtmp://host:port/app`. The stream keeps its name. */
  readonly tcUrl: string
  /** The whole URL, with the stream and its query; SRS since 4 sends it beside the other, as `redirect2`. */
  readonly url: string
}

/** HTTP's code for the same. */
const found = 302

/** The code of a status that redirects: to who does not know `ex` it is a refusal. */
export const redirectCode = 'NetConnection.Connect.Rejected'

export const redirectDescription = 'RTMP 302 Redirect'

/** @param status the information object of a refusal */
export function readRedirect(status: AmfValue): Redirect | null {
  const ex = asRecord(status)?.get('ex')
  if (getNumber(ex, 'code') !== found) return null
  const redirect = { tcUrl: getString(ex, 'redirect') ?? '', url: getString(ex, 'redirect2') ?? '' }
  return redirect.tcUrl === '' && redirect.url === '' ? null : redirect
}

/** The information object that redirects. */
export function redirectObject({ tcUrl, url }: Redirect): AmfRecord {
  const ex = amfObject({ code: found, redirect: tcUrl, ...(url === '' ? {} : { redirect2: url }) })
  return amfObject({ level: 'error', code: redirectCode, description: redirectDescription, ex })
}

/** A stream that a client is sent to. Names as they are, decoded. */
export interface RedirectedStream {
  readonly vhost: string
  readonly app: string
  readonly stream: string
  /** The query that the client gave, with its `?`; '' for none. */
  readonly param: string
}

/**
 * Where a stream is on another server. Its virtual host goes along in the query, since the URL names another host.
 * @param server `rtmp://host:port`
 */
export function redirectTo(server: string, { vhost, app, stream, param }: RedirectedStream): Redirect {
  const inQuery = vhost === defaultVhost ? '' : `vhost=${encodeURIComponent(vhost)}`
  const others = param
    .slice(1)
    .split('&')
    .filter((pair) => pair !== '' && !pair.startsWith('vhost='))
  const appUrl = `${server}/${encodeNames(app)}`
  return {
    tcUrl: inQuery === '' ? appUrl : `${appUrl}?${inQuery}`,
    url: `${appUrl}/${encodeNames(stream)}${queryOf([inQuery, ...others])}`,
  }
}

function queryOf(pairs: readonly string[]): string {
  const query = pairs.filter((pair) => pair !== '').join('&')
  return query === '' ? '' : `?${query}`
}

/** Only what a URL would take for something else: whoever gets it decodes it. */
function encodeNames(name: string): string {
  return name.replace(/[%?&#\s]/g, encodeURIComponent)
}
