import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { HlsStreams } from '../../../src/http/site/hls-streams.ts'
import { streamId } from '../../../src/live/stream-key.ts'
import { HlsNames } from '../../../src/media/hls/names.ts'
import { configOf } from '../../support/config.ts'

/** The streams that a file below the HLS directory may be of. */
function owners(path: string, hls = '', more = ''): string[] {
  const config = configOf(`vhost __defaultVhost__ { hls { enabled on; hls_path /srv; ${hls} } } ${more}`)
  return new HlsStreams(config, () => true).ownersOf(path).map(({ stream }) => streamId(stream))
}

const standard = (name: string): string[] => [`__defaultVhost__/${name}`]

describe('with the standard names', () => {
  test.each([
    ['/srv/live/show.m3u8', 'live/show'],
    ['/srv/live/show-0.ts', 'live/show'],
    ['/srv/live/show-12345.ts', 'live/show'],
    ['/srv/live/a-1-2.ts', 'live/a-1'],
    ['/srv/live/room/show.m3u8', 'live/room/show'],
    ['/srv/live/show one.m3u8', 'live/show one'],
    ['/srv/live/a\nb.m3u8', 'live/a\nb'],
    // In the making, or left behind.
    ['/srv/live/show.m3u8.4711.tmp', 'live/show'],
    ['/srv/live/show-5.ts.4711.tmp', 'live/show'],
  ])('%j is of %j', (path, name) => {
    expect(owners(path)).toStrictEqual(standard(name))
  })

  test.each([
    '/srv/index.html',
    '/srv/live/show.ts',
    '/srv/live/show.flv',
    '/srv/show.m3u8',
    '/other/live/show.m3u8',
  ])('%s is of none', (path) => {
    expect(owners(path)).toStrictEqual([])
  })
})

describe('with other names', () => {
  test.each([
    ['hls_m3u8_file [vhost]/[app]/[stream].m3u8;', '/srv/__defaultVhost__/live/show.m3u8', ['live/show']],
    ['hls_m3u8_file [vhost]/[app]/[stream].m3u8;', '/srv/other/live/show.m3u8', []],
    ['hls_m3u8_file [stream]/[app]/[stream]/index.m3u8;', '/srv/show/live/show/index.m3u8', ['live/show']],
    ['hls_m3u8_file [stream]/[app]/[stream]/index.m3u8;', '/srv/show/live/other/index.m3u8', []],
    ['hls_m3u8_file ./[app]//[stream].m3u8;', '/srv/live/show.m3u8', ['live/show']],
    [
      'hls_ts_file [app]/[stream]/[2006]-[01]/[timestamp]-[duration].ts;',
      '/srv/live/show/2026-11/17-4000.ts',
      ['live/show'],
    ],
    [
      'hls_keys on; hls_key_file_path /keys; hls_key_file [app]/[stream]-[seq].key;',
      '/keys/live/show-0.key',
      ['live/show'],
    ],
    ['hls_key_file_path /keys; hls_key_file [app]/[stream]-[seq].key;', '/keys/live/show-0.key', []],
  ])('%s %s: %j', (hls, path, names) => {
    expect(owners(path, hls)).toStrictEqual(names.flatMap(standard))
  })

  test('paths that are relative count from the working directory', () => {
    expect(owners(resolve('html/live/show.m3u8'), '').length).toBe(0)
    const config = configOf('vhost a { hls { enabled on; hls_path ./html; } }')
    const found = new HlsStreams(config, () => true).ownersOf(resolve('html/live/show.m3u8'))
    expect(found.map(({ stream }) => stream)).toStrictEqual([{ vhost: 'a', app: 'live', stream: 'show' }])
  })
})

test('a file that several virtual hosts would write is of all of them', () => {
  const more = 'vhost a { hls { enabled on; hls_path /srv; } } vhost b { hls { enabled on; hls_path /b; } }'
  expect(owners('/srv/live/show.m3u8', '', more)).toStrictEqual(['__defaultVhost__/live/show', 'a/live/show'])
})

test('virtual hosts without HLS, that are off or not wanted are left out', () => {
  const more =
    'vhost a { hls { hls_path /srv; } } vhost b { enabled off; hls { enabled on; hls_path /srv; } }'
  expect(owners('/srv/live/show.m3u8', '', more)).toStrictEqual(standard('live/show'))
  const config = configOf('vhost a { hls { enabled on; hls_path /srv; } }')
  expect(new HlsStreams(config, () => false).ownersOf('/srv/live/show.m3u8')).toStrictEqual([])
})

test('every file that a stream writes is found to be its own', () => {
  const { hls } = configOf(
    'vhost a { hls { enabled on; hls_path /srv; hls_key_file_path /srv; hls_keys on; } }',
  ).vhosts.a!
  for (const [app, stream] of [
    ['live', 'show'],
    ['live/room', 'a-7'],
    ['a.b', 'x.ts'],
    ['日本', 'é ü'],
    ['live', '[seq]'],
  ] as const) {
    const names = new HlsNames({
      ...{ vhost: 'a', app, stream, root: hls.hlsPath, playlist: hls.hlsM3u8File, segment: hls.hlsTsFile },
      ...{ entryPrefix: '', keyRoot: hls.hlsKeyFilePath, key: hls.hlsKeyFile, keyUrl: '', utc: false },
    })
    const segment = names.segment({ seq: 12, durationMs: 4000, timestamp: 99, atMs: 0 })
    for (const file of [names.playlistFile, segment.file, names.key(12).file]) {
      const found = new HlsStreams(
        configOf('vhost a { hls { enabled on; hls_path /srv; hls_key_file_path /srv; hls_keys on; } }'),
        () => true,
      ).ownersOf(file)
      expect(found.map((owner) => streamId(owner.stream))).toContain(`a/${app}/${stream}`)
    }
  }
})
