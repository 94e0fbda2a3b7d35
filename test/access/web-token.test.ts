import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { exportJWK, type JWTPayload, SignJWT } from 'jose'
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { TokenChecker, type TokenWish } from '../../src/access/web-token.ts'
import { vhostConfigOf } from '../support/config.ts'
import { sharedTempDir } from '../support/temp-dir.ts'

const dir = sharedTempDir()
const secret = 'a-secret-of-a-test-for-tokens'
const wish: TokenWish = { action: 'play', vhost: '__defaultVhost__', app: 'live', stream: 'show' }
const claims = { action: 'play', stream: 'live/show' }

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const [ec, otherEc] = [newEc(), newEc()]
const ed = generateKeyPairSync('ed25519')

function newEc() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

const pem = (name: string): string => join(dir, `${name}.pem`)

beforeAll(() => {
  for (const [name, { publicKey }] of Object.entries({ rsa, ec, ed })) {
    writeFileSync(pem(name), publicKey.export({ type: 'spki', format: 'pem' }))
  }
})

function checkerOf(directives: string): TokenChecker {
  return new TokenChecker(vhostConfigOf(`auth { enabled on; play jwt; ${directives} }`).auth)
}

interface Signing {
  readonly key?: KeyObject | string
  readonly alg?: string
  readonly kid?: string
  /** null: none */
  readonly exp?: number | string | null
}

function tokenOf(
  payload: JWTPayload,
  { key = secret, alg = 'HS256', kid, exp = '1h' }: Signing = {},
): Promise<string> {
  const token = new SignJWT(payload).setProtectedHeader({ alg, ...(kid === undefined ? {} : { kid }) })
  if (exp !== null) token.setExpirationTime(exp)
  return token.sign(typeof key === 'string' ? Buffer.from(key) : key)
}

/** `ok`, or the code of the refusal. */
async function check(
  checker: TokenChecker,
  token: string,
  changed: Partial<TokenWish> = {},
): Promise<string> {
  const verdict = await checker.check(token, { ...wish, ...changed })
  return verdict.ok ? 'ok' : verdict.code
}

describe('the claims', () => {
  const checker = checkerOf(`jwt_secret ${secret};`)

  test.each<[JWTPayload, string]>([
    [claims, 'ok'],
    [{ action: ['publish', 'play'], stream: 'live/show' }, 'ok'],
    [{ action: 'play', stream: ['live/other', 'live/*'] }, 'ok'],
    [{ action: 'play', stream: '*' }, 'ok'],
    [{ ...claims, vhost: '__defaultVhost__' }, 'ok'],
    [{ ...claims, vhost: ['a', '__defaultVhost__'] }, 'ok'],
    [{ action: 'publish', stream: 'live/show' }, 'TOKEN_INVALID'],
    [{ action: 'play', stream: 'live/other' }, 'TOKEN_INVALID'],
    [{ ...claims, vhost: 'a' }, 'TOKEN_INVALID'],
    [{ ...claims, vhost: 7 }, 'TOKEN_INVALID'],
    // A token that is for something else than streams, though of the same issuer.
    [{}, 'TOKEN_INVALID'],
    [{ action: 'play' }, 'TOKEN_INVALID'],
    [{ stream: 'live/show' }, 'TOKEN_INVALID'],
    [{ action: 'play', stream: { toString: 'live/show' } }, 'TOKEN_INVALID'],
    [{ action: 'play', stream: [7] }, 'TOKEN_INVALID'],
  ])('%j: %s', async (payload, result) => {
    expect(await check(checker, await tokenOf(payload))).toBe(result)
  })

  test('say until when: without that a token is none', async () => {
    const now = Math.floor(Date.now() / 1000)
    expect(await check(checker, await tokenOf(claims, { exp: null }))).toBe('TOKEN_INVALID')
    expect(await check(checker, await tokenOf(claims, { exp: now - 60 }))).toBe('TOKEN_EXPIRED')
    expect(await check(checker, await tokenOf({ ...claims, nbf: now + 60 }))).toBe('TOKEN_INVALID')
  })

  test('are given leeway', async () => {
    const now = Math.floor(Date.now() / 1000)
    const token = await tokenOf({ ...claims, nbf: now + 60 }, { exp: now - 60 })
    expect(await check(checkerOf(`jwt_secret ${secret}; leeway 120;`), token)).toBe('ok')
  })

  test('are looked at each time, also of a token that was good a moment ago', async () => {
    const token = await tokenOf(claims)
    expect(await check(checker, token)).toBe('ok')
    expect(await check(checker, token, { stream: 'other' })).toBe('TOKEN_INVALID')
    expect(await check(checker, token, { action: 'publish' })).toBe('TOKEN_INVALID')
    expect(await check(checker, token)).toBe('ok')
  })

  test('have the issuer and one of the audiences that are asked for', async () => {
    const strict = checkerOf(`jwt_secret ${secret}; issuer https://id.test; audience a b;`)
    const good = { ...claims, iss: 'https://id.test', aud: 'b' }
    expect(await check(strict, await tokenOf(good))).toBe('ok')
    for (const other of [
      { ...good, iss: 'https://evil.test' },
      { ...good, aud: 'c' },
      { ...claims, aud: 'b' },
      { ...claims, iss: 'https://id.test' },
    ]) {
      expect(await check(strict, await tokenOf(other))).toBe('TOKEN_INVALID')
    }
  })
})

describe('the signature', () => {
  test.each<[string, Signing]>([
    ['RS256', { alg: 'RS256', key: rsa.privateKey }],
    ['ES256', { alg: 'ES256', key: ec.privateKey }],
    ['EdDSA', { alg: 'EdDSA', key: ed.privateKey }],
    ['HS256', {}],
  ])('%s, with one of several keys', async (_alg, signing) => {
    const checker = checkerOf(
      `jwt_secret the-next-secret-for-tokens ${secret}; jwt_key ${pem('rsa')} ${pem('ec')} ${pem('ed')};`,
    )
    expect(await check(checker, await tokenOf(claims, signing))).toBe('ok')
  })

  test.each<[string, Signing]>([
    ['another secret', { key: 'another-secret-for-tokens' }],
    ['another key', { alg: 'ES256', key: otherEc.privateKey }],
    ['an algorithm that is not in the list', { alg: 'RS512', key: rsa.privateKey }],
    ['a secret of an algorithm that is not in the list', { alg: 'HS512', key: secret.repeat(3) }],
  ])('of %s is none', async (_what, signing) => {
    const checker = checkerOf(`jwt_secret ${secret}; jwt_key ${pem('rsa')} ${pem('ec')};`)
    expect(await check(checker, await tokenOf(claims, signing))).toBe('TOKEN_INVALID')
  })

  test('made with the public key as if that were a secret is none', async () => {
    const publicPem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()
    const token = await tokenOf(claims, { key: publicPem })
    expect(await check(checkerOf(`jwt_key ${pem('rsa')};`), token)).toBe('TOKEN_INVALID')
    expect(await check(checkerOf(`jwt_key ${pem('rsa')}; jwt_secret ${secret};`), token)).toBe(
      'TOKEN_INVALID',
    )
  })

  test('cannot be left out', async () => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const bare = `${part({ alg: 'none' })}.${part({ ...claims, exp: 4e9 })}.`
    const checker = checkerOf(`jwt_secret ${secret}; jwt_key ${pem('rsa')};`)
    for (const token of [bare, bare.slice(0, -1), 'x', 'a.b.c', '..', 'x'.repeat(10_000)]) {
      expect(await check(checker, token)).toBe('TOKEN_INVALID')
    }
  })

  test('holds all of the token together', async () => {
    const token = await tokenOf(claims)
    const [head, , signature] = token.split('.')
    const [, body] = (await tokenOf({ ...claims, stream: '*' })).split('.')
    expect(await check(checkerOf(`jwt_secret ${secret};`), `${head}.${body}.${signature}`)).toBe(
      'TOKEN_INVALID',
    )
  })
})

test('a key that cannot be read', () => {
  writeFileSync(pem('broken'), 'no key')
  expect(() => checkerOf(`jwt_key ${pem('broken')};`)).toThrow(
    expect.objectContaining({ code: 'TOKEN_KEYS' }),
  )
})

describe('a JWKS', () => {
  /** A server of keys, which counts how often it is asked. */
  async function keyServer(keys: readonly { kid: string; publicKey: KeyObject }[]) {
    const served = { loads: 0, keys: [...keys], status: 200 }
    const server = createServer(async (_request, response) => {
      served.loads += 1
      const jwks = await Promise.all(
        served.keys.map(async ({ kid, publicKey }) => ({ ...(await exportJWK(publicKey)), kid, use: 'sig' })),
      )
      response.writeHead(served.status, { 'Content-Type': 'application/json' })
      response.end(JSON.stringify({ keys: jwks }))
    }).listen(0, '127.0.0.1')
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    await once(server, 'listening')
    return { served, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json` }
  }

  const signed = (kid: string, key = ec.privateKey) => tokenOf(claims, { alg: 'ES256', key, kid })

  test('is loaded with the first token, once for all that wait, and kept through a reload', async () => {
    const { served, url } = await keyServer([{ kid: '1', publicKey: ec.publicKey }])
    const checker = checkerOf(`jwks_url ${url};`)
    expect(served.loads).toBe(0)
    const token = await signed('1')
    expect(await Promise.all([1, 2, 3].map(() => check(checker, token)))).toStrictEqual(['ok', 'ok', 'ok'])
    expect(await check(checkerOf(`jwks_url ${url};`), token)).toBe('ok')
    expect(served.loads).toBe(1)
  })

  test('is loaded again for a key that is new, but not for each token with a key that nobody has', async () => {
    const { served, url } = await keyServer([{ kid: '1', publicKey: ec.publicKey }])
    const checker = checkerOf(`jwks_url ${url}; jwks_cooldown 60;`)
    expect(await check(checker, await signed('1'))).toBe('ok')
    served.keys.push({ kid: '2', publicKey: otherEc.publicKey })
    const later = await signed('2', otherEc.privateKey)
    expect(await check(checker, later)).toBe('TOKEN_INVALID')
    expect(served.loads).toBe(1)
    const start = Date.now()
    vi.spyOn(Date, 'now').mockImplementation(() => start + 61_000)
    onTestFinished(() => void vi.restoreAllMocks())
    expect(await check(checker, later)).toBe('ok')
    expect(served.loads).toBe(2)
  })

  test('that cannot be had refuses, and is not asked for again by each client', async () => {
    const { served, url } = await keyServer([{ kid: '1', publicKey: ec.publicKey }])
    served.status = 500
    const checker = checkerOf(`jwks_url ${url};`)
    const token = await signed('1')
    expect(await check(checker, token)).toBe('TOKEN_KEYS')
    served.status = 200
    expect(await check(checker, token)).toBe('TOKEN_KEYS')
    expect(served.loads).toBe(1)
  })

  test('that does not answer is waited for as long as jwks_timeout says', async () => {
    const server = createServer(() => {}).listen(0, '127.0.0.1')
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const checker = checkerOf(`jwks_url http://127.0.0.1:${port}/; jwks_timeout 100ms;`)
    expect(await check(checker, await signed('1'))).toBe('TOKEN_KEYS')
  })

  test('stands beside keys of files', async () => {
    const { url } = await keyServer([{ kid: '1', publicKey: otherEc.publicKey }])
    const checker = checkerOf(`jwks_url ${url}; jwt_key ${pem('ec')};`)
    expect(await check(checker, await signed('file'))).toBe('ok')
    expect(await check(checker, await signed('1', otherEc.privateKey))).toBe('ok')
  })
})
