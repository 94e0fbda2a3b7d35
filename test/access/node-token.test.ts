import { describe, expect, test } from 'vitest'
import { accepted } from '../../src/access/access-check.ts'
import { exceptNodes } from '../../src/access/local-checks.ts'
import { isNode, nodeQuery } from '../../src/access/node-token.ts'
import { accessRequest, FakeCheck } from '../support/access.ts'
import { vhostConfigOf } from '../support/config.ts'

const secret = 'sixteen letters.'
const wish = { app: 'live', stream: 'x' }
const nowSeconds = 1_800_000_000
const query = nodeQuery(secret, wish, nowSeconds)
const known = (param: string, changed = {}, of = secret, at = nowSeconds): boolean =>
  isNode({ ...wish, param, ...changed }, of, at)

describe('what a node asks with', () => {
  test('is known by who has the same secret, for some minutes', () => {
    expect(query).toMatch(/^weir_node=[\w%-]+$/)
    expect(known(`?${query}`)).toBe(true)
    expect(known(`?a=b&${query}`)).toBe(true)
    expect(known(`?${query}`, {}, secret, nowSeconds + 299)).toBe(true)
    expect(known(`?${query}`, {}, secret, nowSeconds + 300)).toBe(false)
  })

  test.each<[what: string, param: string, changed: object, of: string]>([
    ['another secret', `?${query}`, {}, 'another of sixteen.'],
    ['another stream', `?${query}`, { stream: 'y' }, secret],
    ['another application', `?${query}`, { app: 'vod' }, secret],
    ['nothing', '', {}, secret],
    ['something else', '?weir_node=x', {}, secret],
    ['a server without a secret', `?${query}`, {}, ''],
  ])('is not, with %s', (_, param, changed, of) => {
    expect(known(param, changed, of)).toBe(false)
  })

  test('is nothing without a secret', () => {
    expect(nodeQuery('', wish)).toBe('')
  })
})

test('a node may play what others need a token for, and not publish it', async () => {
  const inner = new FakeCheck('auth')
  inner.verdict = { ok: false, code: 'TOKEN_MISSING', message: 'no' }
  const [check] = exceptNodes([inner], () => secret)
  const vhost = vhostConfigOf()
  const param = `?${nodeQuery(secret, wish)}`
  expect(await check!.check(accessRequest({ ...wish, action: 'play', param }), vhost)).toEqual(accepted)
  expect(await check!.check(accessRequest({ ...wish, action: 'play' }), vhost)).toEqual(inner.verdict)
  expect(await check!.check(accessRequest({ ...wish, action: 'publish', param }), vhost)).toEqual(
    inner.verdict,
  )
})
