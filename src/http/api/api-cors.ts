import type { IncomingMessage } from 'node:http'
import type { Config } from '../../config/config.ts'
import type { CorsRules } from '../cors.ts'
import { isOwnOrigin } from './page-origin.ts'

/** Short, so that a changed configuration is soon the browsers' too. */
const maxAgeSeconds = 600

const reading: CorsRules = {
  methods: 'GET, HEAD, OPTIONS',
  headers: 'Content-Type, Authorization',
  origin: '*',
  maxAge: maxAgeSeconds,
}

const everything: CorsRules = { ...reading, methods: 'GET, HEAD, POST, PUT, DELETE, OPTIONS' }

/**
 * What the page that makes a request may do with the API. The server's own pages on another port may do everything, also
 * with `crossdomain off`; others may read with `crossdomain on`, and change things where that takes a password or a token.
 * @returns null: nothing
 */
export function apiCors(config: Config, request: IncomingMessage): CorsRules | null {
  const { crossdomain, auth } = config.httpApi
  const { origin } = request.headers
  if (origin === undefined) return crossdomain ? reading : null
  if (isOwnOrigin(config, request, origin)) return crossdomain ? everything : { ...everything, origin }
  if (!crossdomain) return null
  return auth.enabled ? everything : reading
}
