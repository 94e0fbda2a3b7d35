import { describe, expect, test } from 'vitest'
import { FileRoots } from '../../../src/http/site/file-roots.ts'
import { configOf } from '../../support/config.ts'

/** Directory and path of the file that a request for HLS in memory is for. */
function found(hls: string, path: string, host = 'h', more = ''): string | null {
  const keys = hls.includes('hls_key_file_path') ? '' : 'hls_key_file_path /mem;'
  const config = `http_server { dir /www; }
    vhost __defaultVhost__ { hls { enabled on; hls_storage both; hls_path /mem; ${keys} ${hls} } } ${more}`
  const file = new FileRoots(configOf(config)).find(host, path, new URLSearchParams())
  return file && `${file.root} ${file.path}`
}

describe('with the standard names', () => {
  test.each([
    ['/live/show.m3u8', '/mem /live/show.m3u8'],
    ['/live/show-0.ts', '/mem /live/show-0.ts'],
    ['/live/room/show-1795509922.ts', '/mem /live/room/show-1795509922.ts'],
    // Nothing that a playlist has, or that is in the making.
    ['/live/show.mp4', '/www /live/show.mp4'],
    ['/live/show.m3u8.17.ts.tmp', '/www /live/show.m3u8.17.ts.tmp'],
    ['/live/show-0.key', '/www /live/show-0.key'],
  ])('%s is %s', (path, expected) => {
    expect(found('', path)).toBe(expected)
  })

  test('nothing changes where files are on the disk, or HLS is off', () => {
    expect(found('', '/live/show.m3u8')).toBe('/mem /live/show.m3u8')
    for (const hls of ['hls { enabled on; hls_path /mem; }', 'hls { hls_storage ram; hls_path /mem; }']) {
      const config = configOf(`http_server { dir /www; } vhost __defaultVhost__ { ${hls} }`)
      const file = new FileRoots(config).find('h', '/live/show.m3u8', new URLSearchParams())
      expect(file?.root).toBe('/www')
    }
  })
})

describe('a mount', () => {
  const both = { m3u8: '/mem /live/show.m3u8', ts: '/mem /live/show-3.ts' }
  test.each<[string, string, string]>([
    ['hls_mount [vhost]/hls/[app]/[stream].m3u8;', '/hls/live/show.m3u8', both.m3u8],
    ['hls_mount [vhost]/hls/[app]/[stream].m3u8;', '/hls/live/show-3.ts', both.ts],
    ['hls_mount [vhost]/hls/[app]/[stream].m3u8;', '/live/show-3.ts', '/www /live/show-3.ts'],
    ['hls_mount /[app]/[stream]/index.m3u8;', '/live/show/index.m3u8', both.m3u8],
    ['hls_mount /[app]/[stream]/index.m3u8;', '/live/show/show-3.ts', both.ts],
    [
      'hls_m3u8_file [vhost]/[app]/[stream].m3u8; hls_ts_file [vhost]/[app]/[stream]/[2006]-[seq].ts;',
      '/live/show/2026-3.ts',
      '/mem /__defaultVhost__/live/show/2026-3.ts',
    ],
    ['hls_entry_prefix http://cdn.com/x;', '/live/show-3.ts', both.ts],
    ['hls_keys on;', '/live/show-0.key', '/mem /live/show-0.key'],
    ['hls_keys on; hls_key_file_path /keys;', '/live/show-0.key', '/www /live/show-0.key'],
    // What the parts of a path are put together to leaves no directory.
    ['hls_mount /[app]-x[stream]; hls_m3u8_file [stream]/[app];', '/live-x...', 'null'],
  ])('{ %s } has %s: %s', (hls, path, expected) => {
    expect(String(found(hls, path))).toBe(expected)
  })

  test('is for one host, where it names one', () => {
    const mount = 'hls_mount cdn.com/[vhost]/[stream].m3u8;'
    expect(found(mount, '/__defaultVhost__/show.m3u8', 'h')).toBe('/www /__defaultVhost__/show.m3u8')
    expect(found(mount, '/__defaultVhost__/show.m3u8', 'cdn.com')).toMatch(/^\/mem /)
  })

  test('is for the hosts of its virtual host alone', () => {
    const more = 'vhost other.com { }'
    expect(found('', '/live/show.m3u8', 'other.com', more)).toBe('/www /live/show.m3u8')
    expect(found('', '/live/show.m3u8', 'any.com', more)).toBe('/mem /live/show.m3u8')
  })
})
