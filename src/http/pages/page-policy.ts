import type { PageFacts } from './page-contract.ts'

/**
 * What a page may load and whom it may talk to (Content Security Policy, level 3): the server alone, on its own
 * ports. Scripts come from files only, so that a name with HTML in it could do nothing even where it were shown as such.
 * @param host that the request names, without port
 * @param isFramed whether pages of other sites may show it in a frame
 */
export function contentSecurityPolicy(facts: PageFacts, host: string, isFramed: boolean): string {
  const directives: Readonly<Record<string, string>> = {
    'default-src': `'none'`,
    'script-src': `'self'`,
    'style-src': `'self'`,
    'img-src': `'self' data:`,
    'media-src': `'self' blob:${originsOf(facts, host)}`,
    'connect-src': `'self'${originsOf(facts, host)}`,
    'base-uri': `'none'`,
    'form-action': `'none'`,
    'frame-ancestors': isFramed ? '*' : `'none'`,
    'require-trusted-types-for': `'script'`,
    'trusted-types': `'none'`,
  }
  return Object.entries(directives)
    .map(([name, value]) => `${name} ${value}`)
    .join('; ')
}

/** The server's other origins, and WebSockets of all. */
function originsOf({ api, site }: PageFacts, host: string): string {
  // A policy cannot name an IPv6 address; and what is no plain name must not get into a header.
  if (!/^[a-z0-9.-]+$/.test(host)) return host.includes(':') ? ' http: https: ws: wss:' : ''
  const others = [api, site].filter((origin) => origin !== null && origin !== '').map(String)
  const sockets = others.map((origin) => origin.replace(/^http/, 'ws'))
  return [...new Set(['', ...others, ...sockets])].join(' ')
}
