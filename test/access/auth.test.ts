import { SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { auth, decideByCredentials } from '../../src/access/auth.ts'
import { signedQuery } from '../../src/access/signed-url.ts'
import { accessRequest } from '../support/access.ts'
import { vhostConfigOf } from '../support/config.ts'

const secret = 'a-secret-of-a-test-for-auth'
const now = Math.floor(Date.now() / 1000)
const of = (directives: string) =>
  vhostConfigOf(`auth { enabled on; secret ${secret}; jwt_secret ${secret}; ${directives} }`)

const signed = signedQuery(secret, { action: 'play', stream: '__defaultVhost__/live/x', expires: now + 60 })
const token = await new SignJWT({ action: 'play', stream: 'live/x', exp: now + 60 })
  .setProtectedHeader({ alg: 'HS256' })
  .sign(Buffer.from(secret))

async function decide(conditions: string, brings: Parameters<typeof accessRequest>[0]): Promise<string> {
  const { auth } = of(`play ${conditions};`)
  const verdict = await decideByCredentials(auth, accessRequest({ param: '', ...brings }), now)
  return verdict.ok ? 'ok' : verdict.code
}

describe('what a client brings', () => {
  test.each([
    ['signed', { param: `?${signed}` }, 'ok'],
    ['signed', { tcUrl: `rtmp://h/live?${signed}` }, 'ok'],
    // The one with the stream is meant.
    ['signed', { param: '?signature=x&expires=1', tcUrl: `rtmp://h/live?${signed}` }, 'TOKEN_INVALID'],
    ['signed', {}, 'TOKEN_MISSING'],
    ['signed', { param: `?token=${token}` }, 'TOKEN_MISSING'],
    ['signed', { bearer: token }, 'TOKEN_MISSING'],
    ['signed', { param: `?${signed}`, stream: 'y' }, 'TOKEN_INVALID'],
    ['signed', { param: `?${signed}`, vhost: 'other' }, 'TOKEN_INVALID'],
    ['jwt', { param: `?token=${token}` }, 'ok'],
    ['jwt', { tcUrl: `rtmp://h/live?a=b&token=${token}` }, 'ok'],
    ['jwt', { bearer: token }, 'ok'],
    ['jwt', { param: '?token=bad', bearer: token }, 'TOKEN_INVALID'],
    ['jwt', { param: '?token=', bearer: token }, 'TOKEN_MISSING'],
    ['jwt', { param: `?${signed}` }, 'TOKEN_MISSING'],
    ['jwt', { bearer: token, stream: 'y' }, 'TOKEN_INVALID'],
    ['signed jwt', { param: `?${signed}` }, 'ok'],
    ['signed jwt', { bearer: token }, 'ok'],
    ['signed jwt', { param: '?signature=x&expires=1', bearer: token }, 'TOKEN_INVALID'],
    ['signed jwt', {}, 'TOKEN_MISSING'],
  ])('where %s is asked for: %j: %s', async (conditions, brings, result) => {
    expect(await decide(conditions, brings)).toBe(result)
  })
})

test('a signed URL is decided on at once', () => {
  const { auth } = of('play signed;')
  expect(decideByCredentials(auth, accessRequest({ param: `?${signed}` }), now)).toStrictEqual({ ok: true })
})

test('the check applies to actions that ask for something', () => {
  expect(auth.applies('play', of('play signed;'))).toBe(true)
  expect(auth.applies('publish', of('play signed;'))).toBe(false)
  expect(auth.applies('connect', of('play signed;'))).toBe(false)
  expect(auth.applies('play', vhostConfigOf(`auth { play signed; secret ${secret}; }`))).toBe(false)
})

test('the same configuration has its keys read once', async () => {
  const vhost = of('play jwt;')
  const request = accessRequest({ param: `?token=${token}` })
  for (const _ of [1, 2]) expect(await auth.check(request, vhost)).toStrictEqual({ ok: true })
})
