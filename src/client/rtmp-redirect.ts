/** Where a client goes that a server sends elsewhere, and how often it lets itself be sent. */
import { WeirError } from '../base/errors.ts'
import type { Redirect } from '../rtmp/redirect.ts'
import { defaultRtmpPort } from '../rtmp/tc-url.ts'
import { assembleRtmpUrl, defaultRtmpsPort, parseRtmpUrl, type RtmpUrl } from './rtmp-url.ts'

/** So often a client is sent on, if it is not told otherwise. */
export const defaultMaxRedirects = 4

/**
 * The URL that a redirect from another one leads to. The whole URL counts, if the server gives it; else the stream
 * keeps its name and query, and the application too where the redirect names none.
 * @throws WeirError RTMP_REDIRECT
 */
export function redirectedUrl(from: RtmpUrl, redirect: Redirect): RtmpUrl {
  const to = redirect.url === '' ? fromTcUrl(from, redirect.tcUrl) : parsed(redirect.url)
  // The query may hold a stream key that was to be seen by nobody on the way.
  if (from.secure && !to.secure) throw new WeirError('RTMP_REDIRECT', 'sent from rtmps:// to rtmp://')
  return to
}

function parsed(url: string): RtmpUrl {
  try {
    return parseRtmpUrl(url)
  } catch (error) {
    throw new WeirError('RTMP_REDIRECT', `sent to something that is no RTMP URL: ${url}`, error)
  }
}

function fromTcUrl(from: RtmpUrl, tcUrl: string): RtmpUrl {
  const match = /^(rtmps?):\/\/(\[[0-9a-f:.]+\]|[^:/?[\]]+)(?::(\d{1,5}))?(?:\/([^?]*))?(\?.*)?$/is.exec(
    tcUrl,
  )
  const [, schema = '', authority = '', portText, path = '', query = ''] = match ?? []
  const secure = schema.toLowerCase() === 'rtmps'
  const port = Number(portText ?? (secure ? defaultRtmpsPort : defaultRtmpPort))
  if (match === null || port < 1 || port > 65_535) {
    throw new WeirError('RTMP_REDIRECT', `sent to something that is no RTMP URL: ${tcUrl}`)
  }
  const name = path.replace(/^\/+|\/+$/g, '')
  const [app = '', appQuery = ''] = from.app.split(/(\?.*)/s)
  // Some give the URL of the stream here.
  const namesApp = name !== '' && name !== `${app}/${from.stream.replace(/\?.*$/s, '')}`
  const newQuery = query.replace(/\/+$/, '')
  return assembleRtmpUrl({
    secure,
    authority,
    port,
    app: `${namesApp ? name : app}${newQuery === '' && !namesApp ? appQuery : newQuery}`,
    stream: from.stream,
  })
}

/** The way that a client has been sent. */
export class RedirectTrail {
  readonly #max: number
  readonly #visited = new Set<string>()

  constructor(start: RtmpUrl, max: number) {
    this.#max = max
    this.#visited.add(placeOf(start))
  }

  /** @throws WeirError RTMP_REDIRECT when it has been there, or has been sent on too often */
  follow(to: RtmpUrl): void {
    const place = placeOf(to)
    if (this.#visited.has(place)) throw new WeirError('RTMP_REDIRECT', `sent in a circle, to ${place} again`)
    if (this.#visited.size > this.#max) {
      throw new WeirError('RTMP_REDIRECT', `sent on more than ${this.#max} times, to ${place} at last`)
    }
    this.#visited.add(place)
  }
}

/** Names of streams are often secrets, and what a message says here is logged. */
function placeOf({ host, port, app }: RtmpUrl): string {
  return `${host}:${port}/${app.replace(/\?.*$/s, '')}`
}
