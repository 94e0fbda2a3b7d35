import { describe, expect, test } from 'vitest'
import { asScript, isCallback } from '../../../src/http/api/jsonp.ts'
import { startApi } from './fake-host.ts'

describe('the name of a callback', () => {
  test.each(['f', 'JSON_CALLBACK', 'angular.callbacks._0', '$', 'jQuery110_123', 'a.b.c', 'x'.repeat(128)])(
    '%s',
    (name) => expect(isCallback(name)).toBe(true),
  )

  test.each([
    '',
    '1a',
    'a()',
    'alert(1)//',
    'a b',
    'a[0]',
    '.a',
    'a.',
    'a..b',
    'ä',
    'a;b',
    '<a>',
    'x'.repeat(129),
  ])('is not %j', (name) => expect(isCallback(name)).toBe(false))
})

test('a script is the call of the callback with the JSON; what old browsers take for the end of a line is escaped', () => {
  expect(asScript('f', '{"a":"\u2028\u2029"}')).toBe('f({"a":"\\u2028\\u2029"})')
})

describe('an answer with a callback', () => {
  test('is a script', async () => {
    const { request } = await startApi()
    const { headers, ...response } = await request('/api/v1/versions?callback=angular.callbacks._0').then(
      async (answer) => ({ headers: answer.headers, status: answer.status, text: await answer.text() }),
    )
    expect(response.status).toBe(200)
    expect(headers.get('Content-Type')).toBe('text/javascript; charset=utf-8')
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff')
    const [, json] = /^angular\.callbacks\._0\((.*)\)$/.exec(response.text)!
    expect(JSON.parse(json!)).toMatchObject({ code: 0, data: { version: expect.any(String) } })
    expect(headers.get('Content-Length')).toBe(String(response.text.length))
  })

  test('is refused when the callback is no name of a function, and does not repeat it', async () => {
    const { request } = await startApi()
    const response = await request(`/api/v1/versions?callback=${encodeURIComponent('alert(1)//')}`)
    expect(response.status).toBe(400)
    expect(response.headers.get('Content-Type')).toBe('application/json; charset=utf-8')
    expect(await response.json()).toEqual({ code: 400, server: 'srv', service: 'svc12345', pid: '77' })
  })
})
