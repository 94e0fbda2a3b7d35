import { describe, expect, test } from 'vitest'
import { formatRoute, hopOf, isLoop, maxRouteHops, parseRoute } from '../../src/rtmp/forward-route.ts'

describe('a route', () => {
  const hops = [hopOf('s1', 'a/b/c'), hopOf('s2', 'a/b/c')]

  test('survives the way', () => {
    expect(parseRoute(formatRoute(hops))).toStrictEqual(hops)
    expect(parseRoute('')).toStrictEqual([])
  })

  test('leads to no stream twice', () => {
    expect(isLoop(hops, hopOf('s1', 'a/b/c'))).toBe(true)
    expect(isLoop(hops, hopOf('s1', 'a/b/d'))).toBe(false)
    expect(isLoop(hops, hopOf('s3', 'a/b/c'))).toBe(false)
    expect(isLoop([], hopOf('s1', 'a/b/c'))).toBe(false)
  })

  test('has an end, though every hop renames the stream', () => {
    const long = Array.from({ length: maxRouteHops }, (_, index) => hopOf('s1', `a/b/${index}`))
    expect(isLoop(long, hopOf('s1', 'a/b/c'))).toBe(true)
    expect(isLoop(long.slice(1), hopOf('s1', 'a/b/c'))).toBe(false)
  })

  test('of a peer that writes nonsense is bounded', () => {
    expect(parseRoute('x <script> ../../etc/passwd')).toStrictEqual([])
    expect(parseRoute(`${'abcdefghijkl '.repeat(1e5)}`).length).toBeLessThan(400)
  })
})
