import type { IncomingMessage, ServerResponse } from 'node:http'

/** What pages of other sites may do. */
export interface CorsRules {
  /** Methods, as `Access-Control-Allow-Methods` lists them. */
  readonly methods: string
  /** Request headers beyond those that are always allowed. */
  readonly headers: string
  /** The pages that may read answers: of this origin; or of all, `*`. */
  readonly origin: string
  /** How long a browser may keep the answer to a preflight request, in seconds. */
  readonly maxAge: number
}

/** Of files and live streams: playing. */
export const siteRules: CorsRules = {
  methods: 'GET, HEAD, OPTIONS',
  headers: 'Range, If-None-Match, Authorization',
  origin: '*',
  maxAge: 86_400,
}

/** Whether a browser asks what a page may do, before it does that (Fetch standard, 4.8). */
export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined
}

/**
 * Lets pages of other origins use an answer. Credentials are never allowed, so that no page can act in the name of its
 * visitor.
 */
export function allowReading(response: ServerResponse, { origin }: CorsRules): void {
  response.setHeader('Access-Control-Allow-Origin', origin)
  if (origin !== '*') response.setHeader('Vary', 'Origin')
  response.setHeader('Access-Control-Expose-Headers', 'Content-Length, Content-Range, ETag')
}

/** Answers a preflight request. */
export function answerPreflight(
  response: ServerResponse,
  { origin, methods, headers, maxAge }: CorsRules,
): void {
  response.writeHead(204, {
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Methods': methods,
    'Access-Control-Allow-Headers': headers,
    'Access-Control-Max-Age': maxAge,
    Allow: methods,
  })
  response.end()
}
