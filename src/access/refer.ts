import type { VhostConfig } from '../config/config.ts'
import { type AccessCheck, accepted, type Verdict } from './access-check.ts'

type Refer = VhostConfig['refer']

/** `refer`: in which pages players and publishers may be. */
export const refer: AccessCheck = {
  name: 'refer',
  applies: (action, vhost) =>
    vhost.refer.enabled &&
    action !== 'connect' &&
    (vhost.refer.all.length > 0 || vhost.refer[action].length > 0),
  check: ({ action, pageUrl }, vhost) =>
    action === 'connect' ? accepted : decideByPage(vhost.refer, action, pageUrl),
}

/**
 * Decides by the host of the page: it has to be a domain of the list or below one, of the list for both actions and of
 * that for this one. A list that is empty asks for nothing. A client without a page (most encoders) has no host.
 */
export function decideByPage(refer: Refer, action: 'publish' | 'play', pageUrl: string): Verdict {
  const host = hostOf(pageUrl)
  for (const domains of [refer.all, refer[action]]) {
    if (domains.length === 0 || domains.some((domain) => isWithin(host, domain))) continue
    const page = host === '' ? 'a client that names no page' : `pages of ${host}`
    return { ok: false, code: 'PAGE_DENIED', message: `${action} is not for ${page}` }
  }
  return accepted
}

/** The host of a URL, in lower case and without a dot at its end; a URL without a scheme is one too. '': there is none. */
function hostOf(pageUrl: string): string {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(pageUrl) ? pageUrl : `http://${pageUrl}`)
  return (url?.hostname ?? '').toLowerCase().replace(/\.$/, '')
}

/** Whole labels are compared: `example.com` has `www.example.com` below it and not `badexample.com`. */
function isWithin(host: string, domain: string): boolean {
  const suffix = domain.toLowerCase().replace(/^\*?\./, '')
  return host === suffix || host.endsWith(`.${suffix}`)
}
