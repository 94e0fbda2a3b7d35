import type { KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { messageOf, WeirError } from '../base/errors.ts'
import { nodeCrypto } from '../base/node-builtins.ts'
import type { Config, VhostConfig } from './config.ts'

type Auth = VhostConfig['auth']

/** A shorter secret can be guessed by who has one signature. */
const leastSecretLength = 16

/**
 * Whether the `auth` of every virtual host can be obeyed.
 * @returns what is wrong with the first that cannot, in one sentence, or null
 */
export function authProblem({ vhosts }: Config): string | null {
  for (const [name, { enabled, auth }] of Object.entries(vhosts)) {
    const problem = enabled && auth.enabled ? problemOf(auth) : null
    if (problem !== null) return `vhost ${name} { auth { } }: ${problem}`
  }
  return null
}

/**
 * Reads all public keys that a configuration has in use, so that a bad one is found before anything changes.
 * @param dir the directory that relative paths count from
 * @throws WeirError TOKEN_KEYS
 */
export function checkTokenKeys({ vhosts }: Config, dir: string): void {
  for (const { enabled, auth } of Object.values(vhosts)) {
    if (enabled && auth.enabled && wants(auth, 'jwt')) readTokenKeys(auth.jwtKey, dir)
  }
}

/**
 * @param paths of PEM files
 * @param dir the directory that relative paths count from
 * @throws WeirError TOKEN_KEYS
 */
export function readTokenKeys(paths: readonly string[], dir = process.cwd()): KeyObject[] {
  return paths.map((path) => {
    try {
      return nodeCrypto().createPublicKey(readFileSync(resolve(dir, path)))
    } catch (error) {
      throw new WeirError('TOKEN_KEYS', `jwt_key ${path}: ${messageOf(error)}`, error)
    }
  })
}

function problemOf(auth: Auth): string | null {
  const { publish, play, secret, jwtSecret, jwtKey, jwksUrl } = auth
  if (!wants(auth, 'signed') && !wants(auth, 'jwt')) return 'publish or play has to be signed or jwt'
  for (const conditions of [publish, play]) {
    if (conditions.length > 1 && conditions.includes('none')) return '"none" stands alone'
  }
  if (wants(auth, 'signed') && secret.length === 0) return 'signed URLs need a secret'
  if (wants(auth, 'jwt') && jwtSecret.length + jwtKey.length === 0 && jwksUrl === '') {
    return 'tokens need a jwt_secret, a jwt_key or a jwks_url'
  }
  if ([...secret, ...jwtSecret].some((text) => text.length < leastSecretLength)) {
    return `a secret has ${leastSecretLength} characters at least`
  }
  if (jwksUrl !== '' && !['http:', 'https:'].includes(URL.parse(jwksUrl)?.protocol ?? '')) {
    return `jwks_url ${jwksUrl} is not http://… or https://…`
  }
  return null
}

function wants({ publish, play }: Auth, condition: 'signed' | 'jwt'): boolean {
  return publish.includes(condition) || play.includes(condition)
}
