import { describe, expect, test } from 'vitest'
import { SharedCache } from '../../../src/http/vod/shared-cache.ts'

function setUp(maxBytes = 10) {
  const cache = new SharedCache<string>(maxBytes, ({ length }) => length)
  const made: string[] = []
  const get = (key: string, nowMs = 0): Promise<string> =>
    cache.get(key, nowMs, async () => {
      made.push(key)
      return key
    })
  return { cache, made, get }
}

describe('a value', () => {
  test('is made once for all who want it at the same time, and kept', async () => {
    const { made, get } = setUp()
    expect(await Promise.all([get('abc'), get('abc')])).toEqual(['abc', 'abc'])
    await get('abc')
    expect(made).toEqual(['abc'])
  })

  test('that was used longest ago goes when there is no room', async () => {
    const { cache, made, get } = setUp()
    for (const key of ['aaaa', 'bbbb', 'aaaa', 'cccc']) await get(key)
    expect(cache.bytes).toBe(8)
    await get('aaaa')
    await get('bbbb')
    expect(made).toEqual(['aaaa', 'bbbb', 'cccc', 'bbbb'])
  })

  test('that has no room at all is not kept, and nothing goes for it', async () => {
    const { cache, made, get } = setUp()
    await get('a')
    expect(await get('b'.repeat(11))).toHaveLength(11)
    await get('a')
    expect(made).toHaveLength(2)
    expect(cache.bytes).toBe(1)
  })

  test('that nobody asks for is let go', async () => {
    const { cache, get } = setUp()
    await get('a', 100)
    await get('b', 100)
    await get('a', 200)
    cache.forgetBefore(150)
    expect(cache.bytes).toBe(1)
  })

  test('that could not be made is made again', async () => {
    const { cache, get } = setUp()
    const failing = (): Promise<string> => Promise.reject(new Error('no'))
    await expect(Promise.all([cache.get('a', 0, failing), get('a')])).rejects.toThrow('no')
    expect(await get('a')).toBe('a')
  })
})
