import type { IncomingMessage, ServerResponse } from 'node:http'

/** What pages of other sites may do. */
export interface CorsRules {
  /** Methods, as `Access-Control-Allow-Methods` lists them. */
  readonly methods: string
  /** Request headers beyond those that are always allowed. */
  readonly headers: string
}

/** Of files and live streams: playing. */
export const siteRules: CorsRules = {
  methods: 'GET, HEAD, OPTIONS',
  headers: 'Range, If-None-Match, Authorization',
}

/** Of the API. */
export const apiRules: CorsRules = {
  methods: 'GET, HEAD, POST, PUT, DELETE, OPTIONS',
  headers: 'Content-Type, Authorization',
}

/** How long a browser may keep the answer to a preflight request, in seconds. */
const maxAgeSeconds = 86_400

/**
 * Lets pages of any site use an answer (`crossdomain on`), and answers preflight requests (Fetch standard, 4.8).
 * Every origin is allowed and credentials never are, so that no page can act in the name of its visitor.
 * @returns whether the request is answered
 */
export function answerCors(request: IncomingMessage, response: ServerResponse, rules: CorsRules): boolean {
  response.setHeader('Access-Control-Allow-Origin', '*')
  if (request.method !== 'OPTIONS') {
    response.setHeader('Access-Control-Expose-Headers', 'Content-Length, Content-Range, ETag')
    return false
  }
  response.writeHead(204, {
    'Access-Control-Allow-Methods': rules.methods,
    'Access-Control-Allow-Headers': rules.headers,
    'Access-Control-Max-Age': maxAgeSeconds,
    Allow: rules.methods,
  })
  response.end()
  return true
}
