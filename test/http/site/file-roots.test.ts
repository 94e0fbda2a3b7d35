import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { FileRoots } from '../../../src/http/site/file-roots.ts'
import { configOf } from '../../support/config.ts'

/** Directory and path of the file that a request is for, or null. */
function found(config: string, host: string, pathAndQuery: string): string | null {
  const [path = '', query] = pathAndQuery.split('?')
  const file = new FileRoots(configOf(`http_server { dir /www; } ${config}`)).find(
    host,
    path,
    new URLSearchParams(query),
  )
  return file && `${file.root} ${file.path}`
}

const static_ = (mount: string, dir: string): string =>
  `http_static { enabled on; mount ${mount}; dir ${dir}; }`
const mounts = `vhost a.com { ${static_('[vhost]/hls', '/hls')} } vhost b.com { ${static_('[vhost]/', '/b')} }`

describe('a request is for the file', () => {
  test.each<[string, string, string, string]>([
    ['', 'h', '/', '/www /'],
    ['', 'h', '/live/x.m3u8', '/www /live/x.m3u8'],
    ['', 'h', '/a%20b/%E2%82%AC.ts', '/www /a b/€.ts'],
    ['', 'h', '/a%2Fb.ts', '/www /a/b.ts'],
    ['', 'h', '/dir/', '/www /dir/'],
    [mounts, 'a.com', '/hls/live/x.m3u8', '/hls /live/x.m3u8'],
    [mounts, 'a.com', '/hls', '/hls /'],
    [mounts, 'a.com', '/hls/', '/hls /'],
    [mounts, 'a.com', '/hlsx/y', '/www /hlsx/y'],
    [mounts, 'a.com', '/other', '/www /other'],
    [mounts, 'b.com', '/hls/x', '/b /hls/x'],
    [mounts, 'c.com', '/hls/x', '/www /hls/x'],
    [mounts, 'c.com', '/hls/x?vhost=a.com', '/hls /x'],
    [`vhost a.com { ${static_('/vod', '/vod')} }`, 'a.com', '/vod/x.mp4', '/vod /x.mp4'],
    [`vhost a.com { ${static_('cdn.com/[vhost]', '/a')} }`, 'cdn.com', '/a.com/x.mp4', '/a /x.mp4'],
    [`vhost a.com { ${static_('[vhost]', '/a')} }`, 'a.com', '/x.mp4', '/a /x.mp4'],
    ['vhost a.com { http { enabled on; mount /hls; dir /old; } }', 'a.com', '/hls/x', '/old /x'],
    ['vhost a.com { http_static { mount [vhost]/; dir /off; } }', 'a.com', '/x', '/www /x'],
    [
      'vhost __defaultVhost__ { http_static { enabled on; dir ./objs; } }',
      'h',
      '/x',
      `${resolve('objs')} /x`,
    ],
  ])('{ %s } %s%s: %s', (config, host, path, expected) => {
    expect(found(config, host, path)).toBe(expected)
  })
})

test.each([
  '/../etc/passwd',
  '/a/../../etc/passwd',
  '/%2e%2e/etc/passwd',
  '/..%2fetc/passwd',
  '/a/%2E%2E%2F%2E%2E/x',
  '/..\\x',
  '/a%5c..%5cx',
  '/.git/config',
  '/a/.htpasswd',
  '/%2ehidden',
  '/.',
  '/a/./b',
  '//etc/passwd',
  '/a//b',
  '/a%00.ts',
  '/%zz',
  '/%ff',
  'a',
  '*',
])('%s is no file of ours', (path) => {
  expect(found(mounts, 'a.com', path)).toBeNull()
})
