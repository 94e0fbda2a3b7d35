import type { Config, Endpoint } from './config.ts'
import { endpointName } from './endpoints.ts'

/**
 * Whether `http_api { origins; auth { } }` can be obeyed.
 * @returns what is wrong, in one sentence, or null
 */
export function apiAccessProblem({ httpApi }: Config): string | null {
  const { enabled, username, password, tokens } = httpApi.auth
  const odd = httpApi.origins.find((origin) => !isOrigin(origin))
  if (odd !== undefined) {
    return `http_api { origins } has ${odd}, which is no origin: write scheme, host and port, as in https://host:8443`
  }
  if (!enabled) return null
  // Where a password begins is where the first colon is (RFC 7617, 2).
  if (username.includes(':')) return 'http_api { auth { username } } may not have a colon in it'
  if (username !== '' && password === '') return 'http_api { auth { } } has a username and no password'
  if (password !== '' && username === '') return 'http_api { auth { } } has a password and no username'
  if (password === '' && tokens.length === 0) {
    return 'http_api { auth { enabled on; } } needs a username and a password, or tokens'
  }
  return null
}

/**
 * Whether anybody who reaches the machine can use the API.
 * @returns a warning, or null
 */
export function apiAccessWarning({ httpApi }: Config): string | null {
  if (!httpApi.enabled || httpApi.auth.enabled) return null
  const { listen, https } = httpApi
  const open = [...listen, ...(https.enabled ? https.listen : [])]
    .filter((endpoint) => !isLoopback(endpoint))
    .map(endpointName)
  if (open.length === 0) return null
  const advice = 'set http_api { auth { enabled on; username …; password …; } }, or listen on 127.0.0.1'
  return `http_api on ${open.join(', ')} asks for no password, whoever gets there can close streams and clients: ${advice}`
}

/** Whether this is how browsers write the origin of a page (RFC 6454, 6.2). */
function isOrigin(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && url.origin === text && text !== 'null'
}

function isLoopback({ host }: Endpoint): boolean {
  return host === 'localhost' || host === '::1' || (host !== null && /^127\.\d+\.\d+\.\d+$/.test(host))
}
