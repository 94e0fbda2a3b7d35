import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Config } from '../../config/config.ts'
import { requestTarget } from '../request-target.ts'
import { isBelievable, makerOf } from './page-origin.ts'

/** Why a request is refused: nobody has said who asks, or a page of another site uses its visitor's password. */
export type Refusal = 401 | 403

/** Makes secrets of any length alike long, and tells nothing of them to who measures time. */
const key = randomBytes(32)

/** Methods that change nothing. */
const safeMethods: readonly string[] = ['GET', 'HEAD', 'OPTIONS']

/**
 * Whether a request may use the API, as `http_api { auth { … } }` says: with the user name and password (RFC 7617), or
 * with one of the tokens (RFC 6750).
 * @returns null: it may
 */
export function refusalOf(config: Config, request: IncomingMessage): Refusal | null {
  const { enabled, username, password, tokens } = config.httpApi.auth
  if (!enabled) return null
  const { scheme, credentials } = authorizationOf(request)
  if (scheme === 'bearer')
    return tokens.filter((token) => areEqual(credentials, token)).length > 0 ? null : 401
  if (scheme !== 'basic' || password === '') return 401
  const decoded = Buffer.from(credentials, 'base64').toString('utf8')
  if (!areEqual(decoded, `${username}:${password}`)) return 401
  return makerOf(config, request) === 'other-page' && !isHarmless(request) ? 403 : null
}

/**
 * Whether a page of another site asks for what is not for it. Without a password anybody who reaches the API may use it,
 * and the browser of whoever sits before that machine reaches it for every page that it shows: from
 * pages that are not the operator's nothing is changed, and with `crossdomain off` nothing is told.
 * @param method what the request asks for, `?method=` taken into account
 */
export function isForbiddenToPage(config: Config, request: IncomingMessage, method: string): boolean {
  return safeMethods.includes(method) ? isClosedToRead(config, request) : isClosedToChange(config, request)
}

function isClosedToChange(config: Config, request: IncomingMessage): boolean {
  // With a password, the page has to have it: see above.
  if (makerOf(config, request) === 'other-page') return !config.httpApi.auth.enabled
  // Of anything but a GET browsers name the origin, always.
  if (request.method !== 'GET') return false
  return !isBelievable(config, requestTarget(request).host) || isUnsignedPage(request)
}

function isClosedToRead(config: Config, request: IncomingMessage): boolean {
  if (config.httpApi.crossdomain) return false
  const { host, query } = requestTarget(request)
  // The browser keeps all but scripts from the page.
  if (makerOf(config, request) === 'other-page') return query.has('callback')
  return isLoopback(request.socket.localAddress) && !isBelievable(config, host)
}

/** Whether a browser sends a GET without a word of the page that has it do so. */
function isUnsignedPage({ headers }: IncomingMessage): boolean {
  const isBrowser = headers['user-agent']?.startsWith('Mozilla/') === true
  return isBrowser && headers.referer === undefined && headers['sec-fetch-site'] === undefined
}

function isLoopback(address = ''): boolean {
  return address === '::1' || /^(?:::ffff:)?127\./.test(address)
}

/**
 * A browser sends a password that it has been told by itself, whatever page makes the request: then scripts (JSONP) and
 * forms of any site would act in its visitor's name. Let through are links that a person follows, and what a page asks
 * for with the password in its hands (`cors`): of that the browser asks first, but for a POST. Over plain HTTP to another
 * machine it does not say which it is; what a script asks for has an origin.
 */
function isHarmless(request: IncomingMessage): boolean {
  const { query } = requestTarget(request)
  if (request.method === 'POST' || query.has('method')) return false
  const { 'sec-fetch-mode': mode, origin } = request.headers
  if (mode === undefined) return origin !== undefined || !query.has('callback')
  return mode === 'navigate' || mode === 'cors'
}

function authorizationOf({ headers }: IncomingMessage): { scheme: string; credentials: string } {
  const [, scheme = '', credentials = ''] = /^([A-Za-z]+) +(\S+) *$/.exec(headers.authorization ?? '') ?? []
  return { scheme: scheme.toLowerCase(), credentials }
}

function areEqual(given: string, expected: string): boolean {
  return timingSafeEqual(digest(given), digest(expected))
}

function digest(text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
