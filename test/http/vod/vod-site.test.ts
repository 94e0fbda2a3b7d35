import { describe, expect, test } from 'vitest'
import { parseAddress } from '../../../src/http/vod/vod-site.ts'

function parse(address: string, mount = '/vod') {
  const [path = '', query] = address.split('?')
  return parseAddress(path, new URLSearchParams(query), mount)
}

describe('the address of a part of a recording', () => {
  test.each([
    ['/vod/a.flv/index.m3u8', ['/a.flv', '/vod/a.flv'], 'playlist'],
    ['/vod/b/a.mp4/12.ts', ['/b/a.mp4', '/vod/b/a.mp4'], 12],
    ['/a.MP4/0.ts', ['/a.MP4'], 0],
    ['/vod/a.flv?format=mp4', ['/a.flv', '/vod/a.flv'], 'mp4'],
    ['/vodka/a.flv/0.ts', ['/vodka/a.flv'], 0],
    ['/vod/a.flv/b.mov/index.m3u8', ['/a.flv/b.mov', '/vod/a.flv/b.mov'], 'playlist'],
  ])('%s', (address, candidates, part) => {
    expect(parse(address)).toEqual({ candidates, part })
    for (const mount of ['/vod/', 'vod']) expect(parse(address, mount)).toEqual({ candidates, part })
  })

  test.each([
    '/vod/a.flv',
    '/vod/a.ts/index.m3u8',
    '/a.flv/x.ts',
    '/a.flv/-1.ts',
    '/a.flv/12345678.ts',
    '/.m3u8',
    '/a.mp4?format=mp4',
    '/a.flv?format=flv',
  ])('%s is none', (path) => {
    expect(parse(path)).toBeNull()
  })

  test('below a mount that is everything is the recording itself', () => {
    expect(parse('/b/a.flv/index.m3u8', '/')).toEqual({
      candidates: ['/b/a.flv', '/b/a.flv'],
      part: 'playlist',
    })
  })
})
