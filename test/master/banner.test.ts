import { expect, test } from 'vitest'
import { banner } from '../../src/master/banner.ts'
import { configOf } from '../support/config.ts'

const remux = 'vhost __defaultVhost__ { http_remux { enabled on; } }'

test.each<[string, string[], string[]]>([
  ['', ['rtmp://127.0.0.1/live/livestream'], ['http://']],
  [
    `http_server { enabled on; } http_api { enabled on; } ${remux}`,
    [
      'http://127.0.0.1:8080/live/livestream.flv',
      'http://127.0.0.1:8080/players/?url=/live/livestream.flv',
      'console   http://127.0.0.1:1985/',
      'http://127.0.0.1:1985/api/v1/',
    ],
    [],
  ],
  [`http_server { enabled on; listen [::1]:80; } ${remux}`, ['http://[::1]/live/livestream.flv'], ['/api/']],
  ['http_server { enabled on; }', [], ['http://']],
  [
    `http_server { enabled on; pages off; } http_api { enabled on; pages off; } ${remux}`,
    ['http://127.0.0.1:8080/live/livestream.flv', 'http://127.0.0.1:1985/api/v1/'],
    ['players', 'console'],
  ],
])('with %s it names %j and not %j', (text, named, unnamed) => {
  const lines = banner(configOf(text), ['[::]:1935'], { file: '/srv/conf/weir.conf', cwd: '/srv' })
  for (const part of named) expect(lines).toContain(part)
  for (const part of unnamed) expect(lines).not.toContain(part)
})

test.each([
  ['/srv/conf/weir.conf', 'bin/weir ctl status'],
  ['/etc/weir.conf', 'bin/weir -c /etc/weir.conf ctl status'],
  ["/srv/it's mine.conf", "bin/weir -c '/srv/it'\\''s mine.conf' ctl status"],
])('with %s it says how the same server is asked: %s', (file, command) => {
  expect(banner(configOf(''), ['[::]:1935'], { file, cwd: '/srv' })).toContain(`  ${command}\n`)
})
