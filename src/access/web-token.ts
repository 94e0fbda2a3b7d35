import type { KeyObject } from 'node:crypto'
import type { JWTPayload, JWTVerifyGetKey } from 'jose'
import { monotonicMs } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import { nodeCrypto } from '../base/node-builtins.ts'
import type { VhostConfig } from '../config/config.ts'
import { readTokenKeys } from '../config/vhost-auth.ts'
import { type AccessRequest, accepted, type Refused, type Verdict } from './access-check.ts'
import { RecentTokens } from './recent-tokens.ts'
import { matchesStream } from './stream-pattern.ts'

type Auth = VhostConfig['auth']
type Jose = typeof import('jose')

/** What a token is asked for. */
export type TokenWish = Pick<AccessRequest, 'action' | 'vhost' | 'app' | 'stream'>

/** Longer ones are not looked at. */
const maxTokenLength = 8192

/**
 * Checks tokens (JWT, RFC 7519) as the `auth` of a virtual host says. Secrets and keys of files are read when it is
 * made; those of a JWKS are loaded with the first token and kept.
 */
export class TokenChecker {
  readonly #auth: Auth
  readonly #secrets: readonly KeyObject[]
  readonly #keys: readonly KeyObject[]
  readonly #remoteKeys: RemoteKeys | null
  readonly #recent = new RecentTokens()

  /** @throws WeirError TOKEN_KEYS */
  constructor(auth: Auth) {
    this.#auth = auth
    this.#secrets = auth.jwtSecret.map((secret) => nodeCrypto().createSecretKey(secret, 'utf8'))
    this.#keys = readTokenKeys(auth.jwtKey)
    this.#remoteKeys = auth.jwksUrl === '' ? null : remoteKeysOf(auth)
  }

  async check(token: string, wish: TokenWish): Promise<Verdict> {
    if (token.length > maxTokenLength) return invalid(`the token is longer than ${maxTokenLength}`)
    const recent = this.#recent.get(token, Date.now())
    if (recent !== null) return judge(recent, wish)
    const jose = await import('jose')
    try {
      const claims = await this.#verify(jose, token)
      this.#recent.add(token, claims, Date.now())
      return judge(claims, wish)
    } catch (error) {
      return refusalFor(jose, error)
    }
  }

  /** @returns the claims of a token that one of the keys has signed */
  async #verify(jose: Jose, token: string): Promise<JWTPayload> {
    const algorithm = algorithmOf(jose, token)
    const isSecret = algorithm.startsWith('HS')
    const { issuer, audience, leeway, algorithms } = this.#auth
    const options = {
      // Each kind of key with its own: a public key is no secret.
      algorithms: algorithms.filter((name) => name.startsWith('HS') === isSecret),
      ...(issuer === '' ? {} : { issuer }),
      ...(audience.length === 0 ? {} : { audience: [...audience] }),
      clockTolerance: leeway,
      requiredClaims: ['exp'],
    }
    let failure = new jose.errors.JWSSignatureVerificationFailed()
    for (const key of isSecret ? this.#secrets : this.#keys.filter((key) => fits(key, algorithm))) {
      try {
        return (await jose.jwtVerify(token, key, options)).payload
      } catch (error) {
        // What is wrong with the claims or the time is wrong with every key.
        if (!(error instanceof jose.errors.JWSSignatureVerificationFailed)) throw error
        failure = error
      }
    }
    if (isSecret || this.#remoteKeys === null) throw failure
    return (await jose.jwtVerify(token, this.#remoteKeys(jose), options)).payload
  }
}

/** The curves of keys for each algorithm on elliptic curves (RFC 7518, 3.4), by OpenSSL's names. */
const curves: Readonly<Record<string, string>> = {
  ES256: 'prime256v1',
  ES384: 'secp384r1',
  ES512: 'secp521r1',
}

/** Whether a public key is one for the algorithm. */
function fits(
  { asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject,
  algorithm: string,
): boolean {
  if (algorithm === 'EdDSA') return type === 'ed25519'
  if (Object.hasOwn(curves, algorithm)) return type === 'ec' && details?.namedCurve === curves[algorithm]
  return type === 'rsa'
}

/** @throws JWTInvalid when it is no token */
function algorithmOf(jose: Jose, token: string): string {
  try {
    return jose.decodeProtectedHeader(token).alg ?? ''
  } catch (error) {
    throw new jose.errors.JWTInvalid('it is no token', { cause: error })
  }
}

/** Gives the keys of a JWKS; they are loaded when somebody asks for one. */
type RemoteKeys = (jose: Jose) => JWTVerifyGetKey

/** By address and settings: keys outlive a reload that changes nothing about them. */
const remoteKeys = new Map<string, RemoteKeys>()
const maxRemoteKeys = 64

function remoteKeysOf({ jwksUrl, jwksCache, jwksCooldown, jwksTimeout }: Auth): RemoteKeys {
  const name = JSON.stringify([jwksUrl, jwksCache, jwksCooldown, jwksTimeout])
  const known = remoteKeys.get(name)
  if (known !== undefined) return known
  if (remoteKeys.size >= maxRemoteKeys) remoteKeys.clear()
  let keys: JWTVerifyGetKey | null = null
  let failure: { readonly error: unknown; readonly atMs: number } | null = null
  const get: RemoteKeys = (jose) => async (header, token) => {
    keys ??= jose.createRemoteJWKSet(new URL(jwksUrl), {
      cacheMaxAge: jwksCache * 1000,
      cooldownDuration: jwksCooldown * 1000,
      timeoutDuration: jwksTimeout * 1000,
    })
    // A server that is down is not asked by every client that comes.
    if (failure !== null && monotonicMs() - failure.atMs < jwksCooldown * 1000) throw failure.error
    try {
      const key = await keys(header, token)
      failure = null
      return key
    } catch (error) {
      if (!isAboutToken(jose, error)) failure = { error, atMs: monotonicMs() }
      throw error
    }
  }
  remoteKeys.set(name, get)
  return get
}

/** Whether the claims of a token that is good let a client do what it wants. */
function judge(claims: JWTPayload, { action, vhost, app, stream }: TokenWish): Verdict {
  const [actions, streams, vhosts] = [claims.action, claims.stream, claims.vhost].map(textsOf)
  if (actions === undefined || !actions.includes(action)) return invalid(`the token is not for ${action}`)
  const name = `${app}/${stream}`
  if (streams === undefined || !streams.some((pattern) => matchesStream(pattern, name))) {
    return invalid('the token is for other streams')
  }
  if (claims.vhost !== undefined && vhosts?.includes(vhost) !== true) {
    return invalid('the token is for another virtual host')
  }
  return accepted
}

/** A claim that is a text or a list of texts; undefined: it is neither. */
function textsOf(claim: unknown): string[] | undefined {
  if (typeof claim === 'string') return [claim]
  return Array.isArray(claim) && claim.every((item) => typeof item === 'string') ? claim : undefined
}

function refusalFor(jose: Jose, error: unknown): Refused {
  if (error instanceof jose.errors.JWTExpired) {
    return { ok: false, code: 'TOKEN_EXPIRED', message: 'the token has expired' }
  }
  if (isAboutToken(jose, error)) return invalid(messageOf(error))
  return { ok: false, code: 'TOKEN_KEYS', message: `no key for the token: ${messageOf(error)}` }
}

/** Whether the token is what is wrong, rather than how its key is had. */
function isAboutToken({ errors }: Jose, error: unknown): boolean {
  return [
    errors.JWKSNoMatchingKey,
    errors.JWKSMultipleMatchingKeys,
    errors.JOSEAlgNotAllowed,
    errors.JOSENotSupported,
    errors.JWSInvalid,
    errors.JWSSignatureVerificationFailed,
    errors.JWTInvalid,
    errors.JWTClaimValidationFailed,
  ].some((kind) => error instanceof kind)
}

function invalid(message: string): Refused {
  return { ok: false, code: 'TOKEN_INVALID', message }
}
