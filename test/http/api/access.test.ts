import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { refusalOf } from '../../../src/http/api/access.ts'
import { configOf } from '../../support/config.ts'
import { startApi } from './fake-host.ts'

const settings = 'http_api { auth { enabled on; username admin; password "se:cret ö"; tokens tok-1 tok-2; } }'
const config = configOf(settings)

function basic(text: string): string {
  return `Basic ${Buffer.from(text).toString('base64')}`
}

function refused(headers: Record<string, string>, method = 'GET', url = '/api/v1/streams') {
  return refusalOf(config, { headers, method, url } as unknown as IncomingMessage)
}

describe('who may use the API', () => {
  test.each([basic('admin:se:cret ö'), 'Bearer tok-1', 'bearer tok-2', 'BEARER   tok-2 '])(
    '%s',
    (authorization) => {
      expect(refused({ authorization })).toBeNull()
    },
  )

  test.each([
    '',
    'Basic',
    'Basic ',
    'Basic %%%',
    basic('admin:'),
    basic('admin:se:cret'),
    basic('admin:se:cret ö '),
    basic(':se:cret ö'),
    basic('admin'),
    basic('tok-1'),
    'Bearer',
    'Bearer tok',
    'Bearer tok-11',
    'Bearer tok-1 tok-2',
    'Bearer se:cret',
    'Digest tok-1',
    `Bearer ${'x'.repeat(10_000)}`,
  ])('not %j', (authorization) => {
    expect(refused({ authorization })).toBe(401)
  })

  test('nobody with the empty password where only tokens are set', () => {
    const tokensOnly = configOf('http_api { auth { enabled on; tokens t; } }')
    const request = { headers: { authorization: basic(':') }, method: 'GET', url: '/' }
    expect(refusalOf(tokensOnly, request as unknown as IncomingMessage)).toBe(401)
  })

  test('everybody when no password is asked for', () => {
    const open = configOf('http_api { auth { username admin; password x; } }')
    expect(refusalOf(open, { headers: {}, method: 'GET', url: '/' } as unknown as IncomingMessage)).toBeNull()
  })
})

describe('a password that a browser sends by itself', () => {
  const authorization = basic('admin:se:cret ö')
  const site = (name: string, mode = 'no-cors') => ({
    ...{ authorization, 'sec-fetch-site': name, 'sec-fetch-mode': mode },
  })

  test('is not for scripts, images and forms of other sites', () => {
    expect(refused(site('cross-site'))).toBe(403)
    expect(refused(site('same-site'))).toBe(403)
    expect(refused(site('same-site', 'cors'), 'POST', '/api/v1/reload')).toBe(403)
    expect(refused(site('cross-site', 'navigate'), 'POST', '/api/v1/reload')).toBe(403)
    expect(refused(site('cross-site', 'navigate'), 'GET', '/api/v1/clients/x?method=DELETE')).toBe(403)
  })

  test('is for the server’s own pages, for what a person typed, and for links', () => {
    expect(refused(site('same-origin', 'cors'), 'DELETE')).toBeNull()
    expect(refused(site('none', 'navigate'))).toBeNull()
    expect(refused(site('cross-site', 'navigate'))).toBeNull()
  })

  test('is for pages of other sites that have it themselves: the browser asks before it sends it', () => {
    expect(refused(site('same-site', 'cors'))).toBeNull()
    expect(refused(site('cross-site', 'cors'), 'DELETE')).toBeNull()
  })

  test('a token is no such password: a page has to name it', () => {
    expect(refused({ ...site('cross-site', 'cors'), authorization: 'Bearer tok-1' }, 'DELETE')).toBeNull()
  })
})

describe('the API with a password', () => {
  test('answers 401 to everybody else, whatever they ask for, and asks nobody', async () => {
    const { request, asked, denied } = await startApi(settings)
    const paths = [
      '/',
      '/api/v1/clients',
      '/api/v1/none',
      '/metrics',
      '/api/v1/events',
      '/api/v1/openapi.json',
    ]
    for (const path of paths) {
      const response = await request(path)
      expect(response.status).toBe(401)
      expect(response.headers.get('WWW-Authenticate')).toBe('Basic realm="weir", charset="UTF-8"')
      expect(await response.json()).toMatchObject({ code: 401 })
    }
    expect((await request('/api/v1/reload', { method: 'POST' })).status).toBe(401)
    expect([asked.length, denied()]).toEqual([0, paths.length + 1])
  })

  test('answers who has it', async () => {
    const { request, denied } = await startApi(settings)
    for (const Authorization of [basic('admin:se:cret ö'), 'Bearer tok-2']) {
      const response = await request('/api/v1/clients', { headers: { Authorization } })
      expect([response.status, await response.json()]).toMatchObject([200, { code: 0 }])
    }
    expect(denied()).toBe(0)
  })

  test('asks probes for none', async () => {
    const { request } = await startApi(settings)
    for (const path of ['/healthz', '/readyz', '/readyz/']) expect((await request(path)).status).toBe(200)
  })
})
