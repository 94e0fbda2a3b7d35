import { describe, expect, test } from 'vitest'
import type { PageFacts } from '../../src/http/pages/page-contract.ts'
import { addressesOf, readPlayUrl } from '../../web/src/shared/play-addresses.ts'

const facts: PageFacts = {
  version: '1.0.0',
  api: 'http://h:1985',
  site: '',
  rtmpPort: 1935,
  vhost: {
    name: '__defaultVhost__',
    query: '',
    live: [
      { kind: 'flv', path: '/[app]/[stream].flv' },
      { kind: 'mp3', path: '/[app]/[stream].mp3' },
    ],
    hls: '/hls/[app]/[stream].m3u8',
  },
}
const page = 'http://h:8080/players/'

test('a stream has an address for each protocol, the quickest first', () => {
  expect(addressesOf(facts, { app: 'live/x', stream: 'a b?#' }, page)).toEqual([
    { protocol: 'http-flv', url: 'http://h:8080/live/x/a%20b%3F%23.flv' },
    { protocol: 'ws-flv', url: 'ws://h:8080/live/x/a%20b%3F%23.flv' },
    { protocol: 'hls', url: 'http://h:8080/hls/live/x/a%20b%3F%23.m3u8' },
  ])
})

test('the site may be elsewhere, and the virtual host not that of its name', () => {
  const other = {
    ...facts,
    site: 'https://h:8443',
    vhost: { ...facts.vhost!, query: '?vhost=a.com', hls: null },
  }
  expect(addressesOf(other, { app: 'live', stream: 'x' }, page)).toEqual([
    { protocol: 'http-flv', url: 'https://h:8443/live/x.flv?vhost=a.com' },
    { protocol: 'ws-flv', url: 'wss://h:8443/live/x.flv?vhost=a.com' },
  ])
})

test.each([[{ ...facts, site: null }], [{ ...facts, vhost: null }]])(
  'without a site, or a virtual host, there are none',
  (none) => {
    expect(addressesOf(none, { app: 'live', stream: 'x' }, page)).toEqual([])
  },
)

describe('what is typed in', () => {
  const read = (text: string) => {
    const found = readPlayUrl(facts, text, page)
    return (
      found && [
        found.addresses[found.chosen]?.protocol,
        found.addresses[found.chosen]?.url,
        found.addresses.length,
      ]
    )
  }

  test.each<[string, ReturnType<typeof read>]>([
    ['/live/x.flv', ['http-flv', 'http://h:8080/live/x.flv', 3]],
    [' http://h:8080/live/x.flv?token=1 ', ['http-flv', 'http://h:8080/live/x.flv?token=1', 3]],
    ['ws://h:8080/live/x.flv', ['ws-flv', 'ws://h:8080/live/x.flv', 3]],
    ['/hls/live/x.m3u8', ['hls', 'http://h:8080/hls/live/x.m3u8', 3]],
    ['/vod/movie.mp4', ['file', 'http://h:8080/vod/movie.mp4', 1]],
    ['/other/x.ts', ['http-ts', 'http://h:8080/other/x.ts', 1]],
    ['http://other/live/x.flv', ['http-flv', 'http://other/live/x.flv', 1]],
    ['rtmp://h/live/x', ['http-flv', 'http://h:8080/live/x.flv', 3]],
    ['rtmp://h/live/deep/x', ['http-flv', 'http://h:8080/live/deep/x.flv', 3]],
    ['/live/%E2%82%AC.flv', ['http-flv', 'http://h:8080/live/%E2%82%AC.flv', 3]],
    ['/live/%ff.flv', ['http-flv', 'http://h:8080/live/%ff.flv', 1]],
  ])('%j plays', (text, expected) => {
    expect(read(text)).toEqual(expected)
  })

  test.each([
    '',
    'http://',
    '/live/x',
    'javascript:alert(1)//.flv',
    'data:video/mp4,x.mp4',
    'rtmp://h/x',
    'ws://h/x.m3u8',
  ])('%j does not', (text) => {
    expect(read(text)).toBeNull()
  })
})
