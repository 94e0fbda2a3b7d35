import { describe, expect, test } from 'vitest'
import { carriedQuery, withQuery } from '../../../src/http/site/playlist-query.ts'

describe('what is carried', () => {
  test.each([
    ['?expires=1&signature=a_-b', 'expires=1&signature=a_-b'],
    ['?token=x.y.z&_=123&vhost=v', 'token=x.y.z&vhost=v'],
    ['?token=a%22%0d%0a%26b', 'token=a%22%0D%0A%26b'],
    ['?token=1&token=2', 'token=1'],
    ['?start=5', ''],
    ['', ''],
  ])('of %j: %j', (query, carried) => {
    expect(carriedQuery(new URLSearchParams(query))).toBe(carried)
  })
})

test('every URI of a playlist gets it', () => {
  const playlist = [
    '#EXTM3U',
    '#EXT-X-TARGETDURATION:6',
    '# expired 4.000 show-0.ts',
    '#EXT-X-KEY:METHOD=AES-128,URI="show-1.key",IV=0x01',
    '#EXTINF:4.000,',
    'show-1.ts',
    '#EXT-X-KEY:METHOD=NONE',
    '#EXTINF:4.000,URI="no"',
    'https://cdn.test/live/show-2.ts?v=1',
    '',
  ]
  expect(withQuery(playlist.join('\n'), 'token=x').split('\n')).toStrictEqual([
    '#EXTM3U',
    '#EXT-X-TARGETDURATION:6',
    '# expired 4.000 show-0.ts',
    '#EXT-X-KEY:METHOD=AES-128,URI="show-1.key?token=x",IV=0x01',
    '#EXTINF:4.000,',
    'show-1.ts?token=x',
    '#EXT-X-KEY:METHOD=NONE',
    '#EXTINF:4.000,URI="no"',
    'https://cdn.test/live/show-2.ts?v=1&token=x',
    '',
  ])
})

test('a query with a dollar sign in it is taken as it is', () => {
  expect(withQuery('#EXT-X-KEY:URI="k"', 'token=$&')).toBe('#EXT-X-KEY:URI="k?token=$&"')
})
