import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Config } from '../../config/config.ts'
import { requestTarget } from '../request-target.ts'

/** Why a request is refused: nobody has said who asks, or a page of another site uses its visitor's password. */
export type Refusal = 401 | 403

/** Makes secrets of any length alike long, and tells nothing of them to who measures time. */
const key = randomBytes(32)

/** What browsers say of a request that a page of another site makes (Fetch Metadata). */
const otherSites: readonly string[] = ['cross-site', 'same-site']

/**
 * Whether a request may use the API, as `http_api { auth { … } }` says: with the user name and password (RFC 7617), or
 * with one of the tokens (RFC 6750).
 * @returns null: it may
 */
export function refusalOf({ httpApi }: Config, request: IncomingMessage): Refusal | null {
  const { enabled, username, password, tokens } = httpApi.auth
  if (!enabled) return null
  const { scheme, credentials } = authorizationOf(request)
  if (scheme === 'bearer')
    return tokens.filter((token) => areEqual(credentials, token)).length > 0 ? null : 401
  if (scheme !== 'basic' || password === '') return 401
  const decoded = Buffer.from(credentials, 'base64').toString('utf8')
  if (!areEqual(decoded, `${username}:${password}`)) return 401
  return isFromOtherSite(request) && !isHarmless(request) ? 403 : null
}

/** Whether a page of another site makes the request; browsers that do not say so are taken to be none. */
export function isFromOtherSite({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site']
  return typeof site === 'string' && otherSites.includes(site)
}

/**
 * A browser sends a password that it has been told by itself, whatever page makes the request: then scripts (JSONP) and
 * forms of any site would act in its visitor's name. Let through are links that a person follows, and what a page asks
 * for with the password in its hands (`cors`): of that the browser asks first, but for a POST.
 */
function isHarmless(request: IncomingMessage): boolean {
  const mode = request.headers['sec-fetch-mode']
  const isAsked = (mode === 'navigate' || mode === 'cors') && request.method !== 'POST'
  return isAsked && !requestTarget(request).query.has('method')
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
