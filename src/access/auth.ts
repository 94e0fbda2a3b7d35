import type { VhostConfig } from '../config/config.ts'
import {
  type AccessCheck,
  type AccessRequest,
  accepted,
  type Decision,
  type Refused,
} from './access-check.ts'
import { checkSignature, signatureParameters } from './signed-url.ts'
import { TokenChecker } from './web-token.ts'

type Auth = VhostConfig['auth']

/** The parameter of a query that carries a token. */
const tokenParameter = 'token'

/** All parameters that carry what `auth` asks for. */
export const credentialParameters: readonly string[] = [...signatureParameters, tokenParameter]

/** For as long as a configuration is in force. */
const checkers = new WeakMap<Auth, TokenChecker>()

const missing: Refused = {
  ok: false,
  code: 'TOKEN_MISSING',
  message: 'a signed URL or a token is needed here',
}

/** `auth`: clients need a signed URL or a token. */
export const auth: AccessCheck = {
  name: 'auth',
  applies: (action, vhost) =>
    action !== 'connect' && vhost.auth.enabled && !vhost.auth[action].includes('none'),
  check: (request, vhost) => decideByCredentials(vhost.auth, request),
}

/**
 * Decides by what the client brings: a signed URL if there is a signature and these are taken here, else a token. What
 * is in the query of its stream or app counts first, then what is in that of its tcUrl, then the header.
 * @param nowSeconds since 1970
 * @throws WeirError TOKEN_KEYS
 */
export function decideByCredentials(
  auth: Auth,
  request: AccessRequest,
  nowSeconds = Math.floor(Date.now() / 1000),
): Decision {
  const { action, vhost, app, stream, bearer } = request
  if (action === 'connect') return accepted
  const conditions: readonly string[] = auth[action]
  const query = credentialsOf(request)
  if (conditions.includes('signed') && query.has('signature')) {
    return checkSignature(auth.secret, { action, stream: `${vhost}/${app}/${stream}` }, query, nowSeconds)
  }
  const token = query.get(tokenParameter) ?? bearer ?? ''
  return conditions.includes('jwt') && token !== '' ? checkerOf(auth).check(token, request) : missing
}

/** The query that has credentials in it: some clients leave those of their URL out of the app. */
function credentialsOf({ param, tcUrl }: AccessRequest): URLSearchParams {
  const query = new URLSearchParams(param)
  if (credentialParameters.some((name) => query.has(name))) return query
  const at = tcUrl.indexOf('?')
  return at < 0 ? query : new URLSearchParams(tcUrl.slice(at))
}

function checkerOf(auth: Auth): TokenChecker {
  let checker = checkers.get(auth)
  if (checker === undefined) {
    checker = new TokenChecker(auth)
    checkers.set(auth, checker)
  }
  return checker
}
