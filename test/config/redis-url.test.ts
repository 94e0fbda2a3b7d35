import { describe, expect, test } from 'vitest'
import { clusterProblem } from '../../src/config/cluster-problem.ts'
import { parseRedisUrl, type RedisPlace } from '../../src/config/redis-url.ts'
import { configOf } from '../support/config.ts'

const nobody = { username: '', password: '', database: 0, group: '', tls: false }

test.each<[string, Partial<RedisPlace>]>([
  ['redis://192.0.2.1:6380', { servers: [{ host: '192.0.2.1', port: 6380 }] }],
  ['redis://cache', { servers: [{ host: 'cache', port: 6379 }] }],
  ['rediss://cache/3', { servers: [{ host: 'cache', port: 6379 }], tls: true, database: 3 }],
  ['redis://[2001:db8::1]:6380/', { servers: [{ host: '2001:db8::1', port: 6380 }] }],
  ['redis://:s%3Acret@cache', { servers: [{ host: 'cache', port: 6379 }], password: 's:cret' }],
  ['redis://me:a:b@cache', { servers: [{ host: 'cache', port: 6379 }], username: 'me', password: 'a:b' }],
  [
    'redis+sentinel://:x@a:1,b/main/2',
    {
      kind: 'sentinel',
      servers: [
        { host: 'a', port: 1 },
        { host: 'b', port: 26_379 },
      ],
      password: 'x',
      group: 'main',
      database: 2,
    },
  ],
  [
    'rediss+cluster://a,b:7001',
    {
      kind: 'cluster',
      servers: [
        { host: 'a', port: 6379 },
        { host: 'b', port: 7001 },
      ],
      tls: true,
    },
  ],
])('%s', (url, place) => {
  expect(parseRedisUrl(url)).toStrictEqual({ kind: 'single', ...nobody, ...place })
})

test.each([
  '',
  'cache:6379',
  'http://cache',
  'redis://',
  'redis://a,b',
  'redis://a:0',
  'redis://a:70000',
  'redis://a:b:c',
  'redis://a/x',
  'redis://a/1/2',
  'redis://%zz@a',
  'redis+sentinel://a',
  'redis+sentinel://a/',
  'redis+cluster://a/1',
  'redis+other://a',
])('%j is none', (url) => {
  expect(parseRedisUrl(url)).toBeNull()
})

describe('the global cluster section', () => {
  const problem = (directives: string) => clusterProblem(configOf(`cluster { ${directives} }`))
  const whole = 'registry redis; node a; advertise rtmp://192.0.2.1:1935;'

  test.each(['', 'registry memory; redis what;', whole, `${whole} redis redis+cluster://a,b;`])(
    '%j can be obeyed',
    (directives) => {
      expect(problem(directives)).toBeNull()
    },
  )

  test.each([
    ['registry redis;', 'node NAME'],
    ['registry redis; node a;', 'advertise rtmp://IP:PORT'],
    [whole.replace('1935', '99999'), 'advertise'],
    [`${whole} advertise_http http://a:x;`, 'advertise_http'],
    [`${whole} redis redis://:secret@a,b;`, 'cluster { redis } is not redis://HOST:PORT'],
  ])('%j cannot: %s', (directives, message) => {
    expect(problem(directives)).toContain(message)
    expect(problem(directives)).not.toContain('secret')
  })

  test.each([
    'node "a b";',
    'advertise 192.0.2.1:1935;',
    'advertise rtmp://a:1935/live;',
    'prefix "";',
    'lease 0;',
  ])('%j is not written rightly', (directives) => {
    expect(() => problem(directives)).toThrow(expect.objectContaining({ code: 'CONFIG_BAD_VALUE' }))
  })

  test('is another than that of a virtual host', () => {
    const config = configOf('cluster { node a; } vhost b { cluster { mode remote; origin 192.0.2.1; } }')
    expect(config.cluster).toMatchObject({ registry: 'memory', node: 'a' })
    expect(config.vhosts.b!.cluster).toMatchObject({ mode: 'remote', origin: ['192.0.2.1'] })
  })
})
