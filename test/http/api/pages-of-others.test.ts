import { type IncomingMessage, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { describe, expect, test } from 'vitest'
import { apiCors } from '../../../src/http/api/api-cors.ts'
import { makerOf } from '../../../src/http/api/page-origin.ts'
import { configOf } from '../../support/config.ts'
import { player, startApi } from './fake-host.ts'

const ports = 'http_api { enabled on; listen 1985; } http_server { enabled on; listen 8080; }'
const named = 'http_api { enabled on; origins https://console.example.com http://10.0.0.5:3000; }'
const withPassword = 'http_api { enabled on; auth { enabled on; username a; password b; } }'

const requestOf = (headers: Record<string, string>, method = 'GET', url = '/api/v1/clients') =>
  ({ headers, method, url, socket: { localAddress: '127.0.0.1' } }) as unknown as IncomingMessage

describe('whose page makes a request', () => {
  const maker = (host: string, origin: string, settings = ports) =>
    makerOf(configOf(settings), requestOf({ host, origin }))

  test.each([
    ['10.0.0.1:1985', 'http://10.0.0.1:1985'],
    ['10.0.0.1:1985', 'http://10.0.0.1:8080'],
    ['localhost:1985', 'http://localhost:8080'],
    ['[::1]:1985', 'http://[::1]:8080'],
    ['10.0.0.1', 'http://10.0.0.1'],
    ['10.0.0.1', 'https://10.0.0.1'],
    ['10.0.0.1:8443', 'https://10.0.0.1:8443'],
    [`${hostname().toLowerCase()}:1985`, `http://${hostname().toLowerCase()}:8080`],
  ])('asked at %s, %s is a page of this server', (host, origin) => {
    expect(maker(host, origin)).toBe('own-page')
  })

  test.each([
    ['10.0.0.1:1985', 'http://10.0.0.2:1985'],
    ['10.0.0.1:1985', 'http://10.0.0.1:3000'],
    ['10.0.0.1:1985', 'http://10.0.0.1'],
    ['localhost:1985', 'http://127.0.0.1:1985'],
    ['10.0.0.1:1985', 'https://evil.example'],
    ['10.0.0.1:1985', 'null'],
    ['10.0.0.1:1985', ''],
    ['10.0.0.1:1985', 'file://'],
    ['10.0.0.1:1985', 'http://10.0.0.1:8080/'],
    ['10.0.0.1:1985', 'chrome-extension://abcdef'],
    ['evil.example:1985', 'http://evil.example:1985'],
    [`${hostname()}.evil.example:1985`, `http://${hostname()}.evil.example:1985`],
  ])('asked at %s, %j is not', (host, origin) => {
    expect(maker(host, origin)).toBe('other-page')
  })

  test('a page that origins names is one, whatever host it asks for', () => {
    expect(maker('10.0.0.1:1985', 'https://console.example.com', named)).toBe('own-page')
    expect(maker('10.0.0.1:1985', 'http://10.0.0.5:3000', named)).toBe('own-page')
    expect(maker('10.0.0.1:1985', 'http://10.0.0.5:3001', named)).toBe('other-page')
    expect(maker('console.example.com', 'http://console.example.com', named)).toBe('own-page')
  })

  test('the name of a virtual host, and any name with a password, is believed', () => {
    expect(maker('tv.example:1985', 'http://tv.example:1985', `${ports} vhost tv.example { }`)).toBe(
      'own-page',
    )
    expect(maker('any.example:1985', 'http://any.example:1985', withPassword)).toBe('own-page')
    expect(maker('any.example:1985', 'http://other.example:1985', withPassword)).toBe('other-page')
  })

  test('without an origin, the referrer and what the browser says of the site tell', () => {
    const of = (headers: Record<string, string>) =>
      makerOf(configOf(ports), requestOf({ host: '10.0.0.1:1985', ...headers }))
    expect(of({})).toBe('program')
    expect(of({ referer: 'http://10.0.0.1:8080/console/?x' })).toBe('own-page')
    expect(of({ referer: 'https://evil.example/10.0.0.1:1985' })).toBe('other-page')
    expect(of({ referer: 'no address' })).toBe('other-page')
    expect(of({ 'sec-fetch-site': 'cross-site' })).toBe('other-page')
    expect(of({ 'sec-fetch-site': 'same-site' })).toBe('other-page')
    expect(of({ 'sec-fetch-site': 'same-origin' })).toBe('own-page')
    expect(of({ 'sec-fetch-site': 'none' })).toBe('program')
    expect(of({ 'sec-fetch-site': 'same-origin', host: 'evil.example:1985' })).toBe('program')
  })
})

describe('what a preflight request is told', () => {
  const methods = (settings: string, origin: string) =>
    apiCors(configOf(settings), requestOf({ host: '10.0.0.1:1985', origin }, 'OPTIONS'))?.methods

  test('by default: own pages everything, others to read', () => {
    expect(methods(ports, 'http://10.0.0.1:8080')).toContain('DELETE')
    expect(methods(ports, 'https://evil.example')).toBe('GET, HEAD, OPTIONS')
    expect(methods(named, 'https://console.example.com')).toContain('DELETE')
  })

  test('with a password, everything: the page has to have it', () => {
    expect(methods(withPassword, 'https://evil.example')).toContain('DELETE')
  })

  test('with crossdomain off, others nothing, and own pages are named', () => {
    const off = 'http_api { enabled on; crossdomain off; } http_server { enabled on; }'
    expect(methods(off, 'https://evil.example')).toBeUndefined()
    const own = apiCors(configOf(off), requestOf({ host: '10.0.0.1:1985', origin: 'http://10.0.0.1:8080' }))
    expect(own).toMatchObject({ origin: 'http://10.0.0.1:8080', methods: expect.stringContaining('DELETE') })
  })
})

/** An API asked with headers that `fetch` does not let through. */
async function start(settings = '') {
  const { http, asked, denied } = await startApi(settings)
  const { port } = http.address() as AddressInfo
  const ask = (method: string, path: string, headers: Record<string, string> = {}) =>
    new Promise<{ status: number; headers: IncomingMessage['headers'] }>((resolve, reject) => {
      const request = send({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
        response.resume()
        resolve({ status: response.statusCode ?? 0, headers: response.headers })
      })
      request.on('error', reject).end()
    })
  const changes = () => asked.filter(({ ask: question }) => question === 'kick' || question === 'reload')
  return { ask, changes, denied, own: `http://127.0.0.1:${port}` }
}

const evil = { Origin: 'https://evil.example' }
const firefox = { 'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0' }
const client = `/api/v1/clients/${player.id}`

describe('an API without a password', () => {
  test('changes nothing for a page of another site, and tells who asks', async () => {
    const { ask, changes, denied } = await start()
    for (const [method, path] of [
      ['DELETE', client],
      ['POST', '/api/v1/reload'],
      ['DELETE', '/api/v1/streams/vid-1'],
    ] as const) {
      expect((await ask(method, path, evil)).status).toBe(403)
      expect((await ask(method, path, { Origin: 'null' })).status).toBe(403)
    }
    expect(
      (await ask('OPTIONS', client, { ...evil, 'Access-Control-Request-Method': 'DELETE' })).headers[
        'access-control-allow-methods'
      ],
    ).toBe('GET, HEAD, OPTIONS')
    expect(changes()).toEqual([])
    expect(denied()).toBe(6)
  })

  test('says what a path takes to who asks for that alone', async () => {
    const { ask } = await start()
    expect((await ask('OPTIONS', client)).headers.allow).toBe('GET, HEAD, DELETE, OPTIONS')
  })

  test('changes nothing for a page whose name was made to lead here', async () => {
    const { ask, changes } = await start()
    const rebound = { Host: 'evil.example:1985', Origin: 'http://evil.example:1985' }
    expect((await ask('DELETE', client, rebound)).status).toBe(403)
    expect(changes()).toEqual([])
  })

  test('lets other pages read, own pages change, and programs do everything under any name', async () => {
    const { ask, changes, own } = await start()
    const read = await ask('GET', '/api/v1/clients', evil)
    expect([read.status, read.headers['access-control-allow-origin']]).toEqual([200, '*'])
    expect((await ask('DELETE', client, { Origin: own })).status).toBe(200)
    expect((await ask('DELETE', client)).status).toBe(200)
    expect((await ask('POST', '/api/v1/reload', { Host: 'media.example' })).status).toBe(200)
    expect(changes()).toHaveLength(3)
  })

  test('takes ?method=DELETE from programs and own pages alone', async () => {
    const { ask, changes, own } = await start('http_api { allow_method_param on; }')
    const path = `${client}?method=DELETE`
    for (const headers of [
      evil,
      { Referer: 'https://evil.example/' },
      { 'Sec-Fetch-Site': 'cross-site' },
      { Host: 'evil.example' },
      firefox,
    ]) {
      expect([headers, (await ask('GET', path, headers)).status]).toEqual([headers, 403])
    }
    expect(changes()).toEqual([])
    expect((await ask('GET', path)).status).toBe(200)
    expect((await ask('GET', path, { ...firefox, Referer: `${own}/console/` })).status).toBe(200)
    expect(changes()).toHaveLength(2)
  })

  test('with crossdomain off, tells nothing to a page whose name was made to lead here', async () => {
    const { ask } = await start('http_api { crossdomain off; origins https://known.example; }')
    expect((await ask('GET', '/api/v1/clients', { Host: 'evil.example:1985' })).status).toBe(403)
    expect((await ask('GET', '/healthz', { Host: 'evil.example:1985' })).status).toBe(200)
    expect((await ask('GET', '/api/v1/clients', { Host: 'known.example' })).status).toBe(200)
    const script = '/api/v1/clients?callback=f'
    expect((await ask('GET', script, { Referer: 'https://evil.example/' })).status).toBe(403)
    expect((await ask('GET', script, { Referer: 'https://known.example/' })).status).toBe(200)
  })
})

test('a password that a browser sends by itself over plain HTTP, where it does not say which kind of request it is', async () => {
  const { ask, changes } = await start(withPassword)
  const Authorization = `Basic ${Buffer.from('a:b').toString('base64')}`
  const page = { ...evil, Authorization }
  expect((await ask('POST', '/api/v1/reload', page)).status).toBe(403)
  const script = { Authorization, Referer: 'https://evil.example/' }
  expect((await ask('GET', '/api/v1/clients?callback=f', script)).status).toBe(403)
  expect(changes()).toEqual([])
  // The browser has asked before it sends these: the page has the password itself.
  expect((await ask('GET', '/api/v1/clients', page)).status).toBe(200)
  expect((await ask('DELETE', client, page)).status).toBe(200)
})
