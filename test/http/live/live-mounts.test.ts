import { describe, expect, test } from 'vitest'
import { LiveMounts } from '../../../src/http/live/live-mounts.ts'
import { configOf } from '../../support/config.ts'

const on = 'http_remux { enabled on; }'

/** What a request is for in a configuration: `vhost/app/stream kind`, or null. */
function found(config: string, host: string, pathAndQuery: string): string | null {
  const [path = '', query] = pathAndQuery.split('?')
  const target = new LiveMounts(configOf(config)).find(host, path, new URLSearchParams(query))
  return target && `${target.stream} ${target.kind}`
}

const standard = `vhost __defaultVhost__ { ${on} }`
const two = `vhost a.com { ${on} } vhost b.com { http_remux { enabled on; mount [vhost]/tv/[app]/[stream].flv; } }`

describe('a request for a live stream', () => {
  test.each<[string, string, string, string | null]>([
    [standard, 'anything', '/live/x.flv', '__defaultVhost__/live/x flv'],
    [standard, '', '/live/x.flv', '__defaultVhost__/live/x flv'],
    [standard, 'h', '/live/room/1/x.flv', '__defaultVhost__/live/room/1/x flv'],
    [standard, 'h', '/live/x%20y.flv', '__defaultVhost__/live/x y flv'],
    [standard, 'h', '/live/x.y.flv', '__defaultVhost__/live/x.y flv'],
    [standard, 'h', '/x.flv', null],
    [standard, 'h', '/live/x', null],
    [standard, 'h', '/live/x.flv/', null],
    [standard, 'h', '/live/x.FLV', null],
    [two, 'a.com', '/live/x.flv', 'a.com/live/x flv'],
    [two, 'b.com', '/live/x.flv', null],
    [two, 'b.com', '/tv/live/x.flv', 'b.com/live/x flv'],
    [two, 'c.com', '/live/x.flv', null],
    [two, 'c.com', '/live/x.flv?vhost=a.com', 'a.com/live/x flv'],
    ['vhost __defaultVhost__ { }', 'h', '/live/x.flv', null],
    [`vhost a.com { enabled off; ${on} }`, 'a.com', '/live/x.flv', null],
    [
      'vhost a.com { http_remux { enabled on; mount /[app]/[stream].flv; } }',
      'a.com',
      '/live/x.flv',
      'a.com/live/x flv',
    ],
    [
      'vhost a.com { http_remux { enabled on; mount Cdn.com/[vhost]/[app]/[stream].flv; } }',
      'cdn.com',
      '/a.com/live/x.flv',
      'a.com/live/x flv',
    ],
    [
      'vhost a.com { http_remux { enabled on; mount cdn.com/[app]/[stream].flv; } }',
      'a.com',
      '/live/x.flv',
      null,
    ],
    [
      'vhost a.com { http_remux { enabled on; mount [vhost]/1/[app]/[stream].flv [vhost]/2/[app]-[stream].flv; } }',
      'a.com',
      '/2/live-x.flv',
      'a.com/live/x flv',
    ],
  ])('{ %s } %s%s is for %s', (config, host, path, expected) => {
    expect(found(config, host, path)).toBe(expected)
  })

  test.each([
    ['/live/..%2Fx.flv', 'RTMP_NAME'],
    ['/live//x.flv', 'RTMP_NAME'],
    ['/live/../x.flv', 'RTMP_NAME'],
    ['/live/%.flv', 'RTMP_NAME'],
    ['/live/%00.flv', 'RTMP_NAME'],
    [`/live/${'x'.repeat(256)}.flv`, 'RTMP_NAME'],
  ])('%s is refused: %s', (path, code) => {
    expect(() => found(standard, 'h', path)).toThrow(expect.objectContaining({ code }))
  })

  test('that asks for a virtual host that is not served is refused', () => {
    expect(() => found(two, 'a.com', '/live/x.flv?vhost=c.com')).toThrow(
      expect.objectContaining({ code: 'VHOST_UNKNOWN' }),
    )
  })
})

test.each([
  '[vhost]/[stream].flv',
  '[vhost]/[app]/[stream].xyz',
  '[app]',
  '[vhost]/[app]/[app]/[stream].flv',
])('the mount %s is named as unusable', (mount) => {
  const config = configOf(`vhost a.com { http_remux { enabled on; mount ${mount}; } }`)
  expect(new LiveMounts(config).unusable).toStrictEqual([mount])
})
