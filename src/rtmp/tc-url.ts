/**
 * Where a client wants to go: the virtual host, application and stream that its `tcUrl`, `app` and stream name
 * together say (RTMP 1.0, section 7.2.1.1; the ways to name a virtual host are SRS's).
 */

import { WeirError } from '../base/errors.ts'
import { defaultVhost } from '../config/vhost-of.ts'
import { checkName, decodeName } from './names.ts'

/** The TCP port of an RTMP URL without one. */
export const defaultRtmpPort = 1935

/** The name of Flash Media Server's default application instance: the same as no instance. */
const defaultInstance = '_definst_'
/** Longest tcUrl, app or stream with its query, in UTF-16 units: room for a signed token in the query. */
const maxUrlLength = 8192

/** A client's address, taken apart. Names are percent-decoded and checked. */
export interface TcUrl {
  /** `rtmp`, or what else the URL began with; in lower case. */
  readonly schema: string
  /** Host of the URL without the brackets of an IPv6 address; '' when the URL has none. */
  readonly host: string
  readonly port: number
  /**
   * The virtual host asked for: of the stream's query, else of the app's, else the URL's host. It may be an IP
   * address or any other name that is not configured: whoever looks it up falls back to {@link defaultVhost}.
   */
  readonly vhost: string
  /** Application, with its instance if there is one (`live/room1`), without a query. */
  readonly app: string
  /** Stream name without its query; a prefix like `mp4:` is kept. '' when no stream was given. */
  readonly stream: string
  /** The stream's query, then the app's, undecoded and with a leading `?`: `?token=x&vhost=y`; '' when none. */
  readonly param: string
}

/**
 * Takes a client's address apart. Understood are `rtmp://VHOST/app/stream`, `?vhost=V` or `&vhost=V` behind the app or
 * the stream, `app...vhost...V`, `app?vhost=V/instance` and IPv6 hosts in brackets.
 * @param tcUrl the connect command's tcUrl; '' (some encoders send none) has no host
 * @param app the connect command's app; '' takes the path of the tcUrl
 * @param stream the name given to publish or play, or `null` at connect, when there is none yet
 * @throws WeirError RTMP_NAME when a name breaks the rules of {@link checkName}, RTMP_COMMAND when the tcUrl is no URL
 */
export function parseTcUrl(tcUrl: string, app: string, stream: string | null): TcUrl {
  for (const text of [tcUrl, app, stream ?? '']) {
    if (text.length > maxUrlLength) throw new WeirError('RTMP_NAME', `a URL is longer than ${maxUrlLength}`)
  }
  const url = splitUrl(tcUrl)
  const appPart = splitApp(app === '' ? url.path : app)
  const streamPart = splitQuery(stream ?? '')
  const asked = vhostIn(streamPart.query) || vhostIn(appPart.query)
  const query = [streamPart.query, appPart.query].filter((part) => part !== '').join('&')
  return {
    schema: url.schema,
    host: url.host,
    port: url.port,
    vhost: checkName('vhost', asked ? decodeName('vhost', asked) : url.host || defaultVhost),
    app: checkName('app', decodeName('app', appPart.name)),
    stream: stream === null ? '' : checkName('stream', decodeName('stream', streamPart.name)),
    param: query === '' ? '' : `?${query}`,
  }
}

interface UrlParts {
  schema: string
  host: string
  port: number
  path: string
}

function splitUrl(tcUrl: string): UrlParts {
  if (tcUrl === '') return { schema: 'rtmp', host: '', port: defaultRtmpPort, path: '' }
  const match =
    /^([a-z]+):\/\/(?:[^/@]*@)?(?:\[([0-9a-f:.]+)\]|([^:/?[\]]*))(?::(\d{1,5}))?(?:\/(.*))?$/is.exec(tcUrl)
  const port = Number(match?.[4] ?? defaultRtmpPort)
  if (match?.[1] === undefined || port < 1 || port > 65535) {
    throw new WeirError('RTMP_COMMAND', `tcUrl ${JSON.stringify(tcUrl)} is not a URL`)
  }
  return { schema: match[1].toLowerCase(), host: match[2] ?? match[3] ?? '', port, path: match[5] ?? '' }
}

interface NameAndQuery {
  name: string
  /** Without its `?`. */
  query: string
}

function splitApp(app: string): NameAndQuery {
  const spelled = app.replace('...vhost...', app.includes('?') ? '&vhost=' : '?vhost=')
  const { name, query } = splitQuery(spelled)
  // A virtual host has no slash: what follows one is the instance (`live?vhost=V/room`).
  let instance = ''
  const cut = query.replace(/((?:^|&)vhost=[^&/]*)(\/[^&]*)/, (_all, head: string, tail: string) => {
    instance = tail
    return head
  })
  const path = trimSlashes(name + instance)
  return {
    name: trimSlashes(path.endsWith(`/${defaultInstance}`) ? path.slice(0, -defaultInstance.length) : path),
    query: cut,
  }
}

function splitQuery(text: string): NameAndQuery {
  const at = text.search(/\?|&vhost=/)
  return at < 0 ? { name: text, query: '' } : { name: text.slice(0, at), query: text.slice(at + 1) }
}

function vhostIn(query: string): string {
  for (const pair of query.split('&')) {
    if (pair.startsWith('vhost=')) return pair.slice('vhost='.length)
  }
  return ''
}

/** Without the slashes around it, which URLs typed by hand have: `live/`. */
function trimSlashes(path: string): string {
  let start = 0
  let end = path.length
  while (path[start] === '/') start += 1
  while (end > start && path[end - 1] === '/') end -= 1
  return path.slice(start, end)
}
