import { describe, expect, test } from 'vitest'
import { type PageVisit, pageFacts } from '../../../src/http/pages/page-facts.ts'
import { contentSecurityPolicy } from '../../../src/http/pages/page-policy.ts'
import { configOf } from '../../support/config.ts'

const both = 'http_server { enabled on; listen 8080; } http_api { enabled on; listen 1985; }'

function facts(config: string, visit: Partial<PageVisit> = {}) {
  const standard = { face: 'site', host: 'h', namedPort: 8080, localPort: 8080, vhost: null } as const
  return pageFacts(configOf(config), { ...standard, ...visit })
}

describe('where the API and the site are', () => {
  test.each<[string, Partial<PageVisit>, string | null, string | null]>([
    [both, {}, 'http://h:1985', ''],
    [both, { face: 'api', namedPort: 1985, localPort: 1985 }, '', 'http://h:8080'],
    [
      'http_server { enabled on; listen 80; } http_api { enabled on; }',
      { face: 'api', namedPort: 1985, localPort: 1985 },
      '',
      'http://h',
    ],
    [both, { host: '::1' }, 'http://[::1]:1985', ''],
    [
      'http_server { enabled on; listen 1985; } http_api { enabled on; }',
      { face: 'both', namedPort: 1985, localPort: 1985 },
      '',
      '',
    ],
    ['http_server { enabled on; }', {}, null, ''],
    ['http_api { enabled on; }', { face: 'api', namedPort: 1985, localPort: 1985 }, '', null],
    // Behind a proxy, or a port that is mapped, everything is where the page is.
    [both, { namedPort: 80 }, '', ''],
    [
      'http_server { enabled on; } http_api { enabled on; listen 10.0.0.1:1986 1985; }',
      {},
      'http://h:1985',
      '',
    ],
    [
      'http_server { enabled on; } http_api { enabled on; listen 10.0.0.1:1986 1985; }',
      { host: '10.0.0.1' },
      'http://10.0.0.1:1986',
      '',
    ],
  ])('{ %s } %j: API %j, site %j', (config, visit, api, site) => {
    expect(facts(config, visit)).toMatchObject({ api, site })
  })

  test('and which port takes RTMP', () => {
    expect(facts(both).rtmpPort).toBe(1935)
  })
})

describe('where streams are', () => {
  test.each<[string, Partial<PageVisit>, unknown]>([
    ['vhost __defaultVhost__ { }', {}, { name: '__defaultVhost__', query: '', live: [], hls: null }],
    [
      'vhost __defaultVhost__ { http_remux { enabled on; mount [vhost]/[app]/[stream].flv /ts/[vhost]/[app]/[stream].ts; } }',
      {},
      {
        live: [
          { kind: 'flv', path: '/[app]/[stream].flv' },
          { kind: 'ts', path: '/ts/__defaultVhost__/[app]/[stream].ts' },
        ],
      },
    ],
    [
      'vhost __defaultVhost__ { http_remux { enabled on; mount cdn.com/[app]/[stream].flv; } }',
      {},
      { live: [] },
    ],
    [
      'vhost __defaultVhost__ { http_remux { enabled on; mount cdn.com/[app]/[stream].flv; } }',
      { host: 'cdn.com' },
      { live: [{ kind: 'flv', path: '/[app]/[stream].flv' }] },
    ],
    [
      'vhost __defaultVhost__ { } vhost a.com { http_remux { enabled on; } }',
      { vhost: 'a.com' },
      { name: 'a.com', query: '?vhost=a.com', live: [{ kind: 'flv', path: '/[app]/[stream].flv' }] },
    ],
    ['vhost a.com { }', { host: 'a.com', vhost: 'a.com' }, { name: 'a.com', query: '' }],
    ['vhost a.com { }', { host: 'b.com' }, null],
    ['vhost __defaultVhost__ { hls { enabled on; } }', {}, { hls: '/[app]/[stream].m3u8' }],
    [
      'vhost __defaultVhost__ { hls { enabled on; hls_path ./objs/nginx/html/hls/; hls_m3u8_file [vhost]/[stream].m3u8; } }',
      {},
      { hls: '/hls/__defaultVhost__/[stream].m3u8' },
    ],
    ['vhost __defaultVhost__ { hls { enabled on; hls_path ./objs/nginx/html2; } }', {}, { hls: null }],
    [
      'vhost __defaultVhost__ { hls { enabled on; hls_storage ram; hls_mount [vhost]/x/[stream].m3u8; } }',
      {},
      { hls: '/x/[stream].m3u8' },
    ],
    [
      'vhost __defaultVhost__ { hls { enabled on; hls_storage ram; hls_mount cdn.com/[stream].m3u8; } }',
      {},
      { hls: null },
    ],
    [
      'vhost __defaultVhost__ { hls { enabled on; hls_path /srv/x; } http_static { enabled on; mount [vhost]/vod; dir /srv; } }',
      {},
      { hls: '/vod/x/[app]/[stream].m3u8' },
    ],
  ])('{ %s } %j', (config, visit, expected) => {
    const { vhost } = facts(`${both} ${config}`, visit)
    if (expected === null) expect(vhost).toBeNull()
    else expect(vhost).toMatchObject(expected as object)
  })
})

describe('the policy', () => {
  const policy = (host: string, visit: Partial<PageVisit> = {}) =>
    contentSecurityPolicy(facts(both, { host, ...visit }), host, false)

  test('lets a page talk to the server on its other port, and to nobody else', () => {
    expect(policy('h')).toContain("connect-src 'self' http://h:1985 ws://h:1985;")
    expect(policy('h', { namedPort: 80 })).toContain("connect-src 'self';")
    expect(policy('h')).toContain("default-src 'none'; script-src 'self'; style-src 'self'")
  })

  test.each(["h; script-src 'unsafe-inline'", 'a b', 'h,x', '*'])(
    'is not extended by the host %j',
    (host) => {
      expect(policy(host)).toContain("connect-src 'self';")
      expect(policy(host)).not.toContain('unsafe')
    },
  )

  test('of an address that no policy can name is open for connections, and for nothing else', () => {
    expect(policy('::1')).toContain("connect-src 'self' http: https: ws: wss:;")
    expect(policy('::1')).toContain("script-src 'self';")
  })
})
