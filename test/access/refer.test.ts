import { describe, expect, test } from 'vitest'
import { decideByPage, refer } from '../../src/access/refer.ts'
import { accessRequest } from '../support/access.ts'
import { vhostConfigOf } from '../support/config.ts'

const of = (lists: string) => vhostConfigOf(`refer { enabled on; ${lists} }`)

describe('a page', () => {
  test.each([
    ['http://example.com/live.html', true],
    ['https://www.example.com', true],
    ['https://a.b.example.com:8443/x?y=http://evil.test/', true],
    ['HTTP://WWW.EXAMPLE.COM/', true],
    ['http://example.com./x', true],
    ['example.com/live.html', true],
    ['www.example.com:8080', true],
    ['file://', false],
    ['', false],
    // A suffix of letters is none of labels (SRS takes it for one).
    ['http://badexample.com/', false],
    ['http://example.com.evil.test/', false],
    ['http://evil.test/example.com', false],
    ['http://evil.test/?example.com', false],
    ['http://example.com@evil.test/', false],
    ['http://example.com:80@evil.test/', false],
    ['http://evil.test#example.com', false],
    ['http://evil.test\\@example.com', false],
    ['http://', false],
    ['http://[::1]/', false],
    ['null', false],
  ])('%j: %s', (pageUrl, isAllowed) => {
    expect(decideByPage(of('all example.com;').refer, 'play', pageUrl).ok).toBe(isAllowed)
  })

  test.each([
    ['all a.test b.test;', 'http://b.test/', 'publish play'],
    ['play a.test;', 'http://b.test/', 'publish'],
    ['publish a.test;', 'http://b.test/', 'play'],
    ['all test; play a.test;', 'http://a.test/', 'publish play'],
    ['all test; play a.test;', 'http://b.test/', 'publish'],
    ['all b.test; play a.test;', 'http://a.test/', ''],
    ['all .a.test;', 'http://x.a.test/', 'publish play'],
    ['all *.a.test;', 'http://x.a.test/', 'publish play'],
    ['all 192.0.2.7;', 'http://192.0.2.7:8080/', 'publish play'],
    ['', '', 'publish play'],
  ])('%j in %j: %j', (lists, pageUrl, actions) => {
    const { refer } = of(lists)
    const decided = (['publish', 'play'] as const).filter((action) => decideByPage(refer, action, pageUrl).ok)
    expect(decided.join(' ')).toBe(actions)
  })

  test('is refused with a code', () => {
    const { refer } = of('all a.test;')
    expect(decideByPage(refer, 'play', 'http://b.test/x')).toStrictEqual({
      ok: false,
      code: 'PAGE_DENIED',
      message: 'play is not for pages of b.test',
    })
    expect(decideByPage(refer, 'publish', '')).toMatchObject({
      message: 'publish is not for a client that names no page',
    })
  })
})

test('the lines of SRS 1 and 2 enable it', () => {
  const { refer } = vhostConfigOf('refer a.test; refer_play b.test;')
  expect(refer).toStrictEqual({ enabled: true, all: ['a.test'], publish: [], play: ['b.test'] })
})

test('the check applies to actions for which there is a list', () => {
  expect(refer.applies('play', of('play a.test;'))).toBe(true)
  expect(refer.applies('publish', of('play a.test;'))).toBe(false)
  expect(refer.applies('publish', of('all a.test;'))).toBe(true)
  expect(refer.applies('connect', of('all a.test;'))).toBe(false)
  expect(refer.applies('play', vhostConfigOf('refer { all a.test; }'))).toBe(false)
  expect(refer.check(accessRequest({ pageUrl: 'http://a.test' }), of('all a.test;'))).toMatchObject({
    ok: true,
  })
})
