import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { endpointClash, endpointName, httpEndpoints } from '../../src/config/endpoints.ts'
import { loadConfig } from '../../src/config/load.ts'
import { configOf } from '../support/config.ts'
import { tempDir } from '../support/temp-dir.ts'

test.each([
  [{ host: null, port: 8080 }, '8080'],
  [{ host: '127.0.0.1', port: 8080 }, '127.0.0.1:8080'],
  [{ host: '::1', port: 8080 }, '[::1]:8080'],
])('%j is written %s', (endpoint, name) => {
  expect(endpointName(endpoint)).toBe(name)
})

/** The endpoints as text: `8080 api site`. */
function served(text: string): string[] {
  return httpEndpoints(configOf(text)).map(({ endpoint, api, site, exporter }) =>
    [
      endpointName(endpoint),
      ...(api ? ['api'] : []),
      ...(site ? ['site'] : []),
      ...(exporter ? ['exporter'] : []),
    ].join(' '),
  )
}

describe('the endpoints of HTTP', () => {
  test('are none as long as nothing is enabled', () => {
    expect(served('http_api { listen 1985; } http_server { listen 8080; }')).toStrictEqual([])
  })

  test('are those of the API and of the site', () => {
    expect(
      served('http_api { enabled on; } http_server { enabled on; listen 80 [::1]:8080; }'),
    ).toStrictEqual(['1985 api', '80 site', '[::1]:8080 site'])
  })

  test('are one where both are given the same', () => {
    const text = 'http_api { enabled on; listen 1985 8080; } http_server { enabled on; listen 8080; }'
    expect(served(text)).toStrictEqual(['1985 api', '8080 api site'])
  })

  test('has those of the exporter too', () => {
    expect(served('exporter { enabled on; }')).toStrictEqual(['9972 exporter'])
    expect(served('http_api { enabled on; } exporter { enabled on; listen 127.0.0.1:1; }')).toStrictEqual([
      '1985 api',
      '127.0.0.1:1 exporter',
    ])
  })

  test('of SRS 1 are those of http_stream', () => {
    expect(served('http_stream { enabled on; listen 8081; }')).toStrictEqual(['8081 site'])
  })
})

describe('RTMP and HTTP', () => {
  test.each([
    [
      'http_server { enabled on; listen 1935; }',
      'listen 1935 is for RTMP, and http_server listens on 1935 too',
    ],
    ['http_api { enabled on; listen 1935; }', 'listen 1935 is for RTMP, and http_api listens on 1935 too'],
    ['rtmps { enabled on; listen 1935; }', 'listen 1935 is for RTMP, and rtmps listens on 1935 too'],
    [
      'rtmps { enabled on; } http_server { enabled on; listen 1443; }',
      'listen 1443 is for rtmps, and http_server listens on 1443 too',
    ],
    [
      'http_api { enabled on; https { enabled on; } } rtmps { enabled on; listen 1990; }',
      'listen 1990 is for rtmps, and http_api { https } listens on 1990 too',
    ],
    [
      'http_server { enabled on; https { enabled on; listen 8080; } }',
      'listen 8080 is for http_server, and http_server { https } listens on 8080 too',
    ],
    ['http_server { https { enabled on; listen 1935; } }', null],
    ['rtmps { listen 1935; }', null],
    ['exporter { enabled on; listen 1935; }', 'listen 1935 is for RTMP, and exporter listens on 1935 too'],
    [
      'http_api { enabled on; } exporter { enabled on; listen 1985; }',
      'exporter listens on 1985, and http_api too: the exporter needs an address of its own',
    ],
    ['http_server { listen 1935; }', null],
    ['http_server { enabled on; listen 127.0.0.1:1935; }', null],
  ])('with %s: %s', (text, clash) => {
    expect(endpointClash(configOf(text))).toBe(clash)
  })

  test('on one address are no valid configuration', () => {
    const file = join(tempDir(), 'x.conf')
    writeFileSync(file, 'listen 1935;\nhttp_server { enabled on; listen 1935; }\n')
    expect(() => loadConfig(file)).toThrow(
      expect.objectContaining({ code: 'CONFIG_DUPLICATE', message: expect.stringContaining(file) }),
    )
  })
})
