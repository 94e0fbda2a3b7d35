import { expect, test } from 'vitest'
import { displayName, splitStreamId, streamId, streamTag, vhostOfStream } from '../../src/live/stream-key.ts'

test.each([
  [
    { vhost: '__defaultVhost__', app: 'live', stream: 'livestream' },
    '__defaultVhost__/live/livestream',
    'live/livestream',
  ],
  [{ vhost: 'a.example', app: 'live', stream: 'x' }, 'a.example/live/x', 'a.example/live/x'],
  [{ vhost: 'a.example', app: 'live/room', stream: 'x' }, 'a.example/live/room/x', 'a.example/live/room/x'],
  [
    { vhost: '__defaultVhost__x', app: 'live', stream: 'x' },
    '__defaultVhost__x/live/x',
    '__defaultVhost__x/live/x',
  ],
])('%o', (key, id, shown) => {
  expect(streamId(key)).toBe(id)
  expect(displayName(id)).toBe(shown)
  expect(vhostOfStream(id)).toBe(key.vhost)
  expect(splitStreamId(id)).toEqual(key)
})

test('a tag is the same for a stream wherever it is made, and another for every other stream', () => {
  expect(streamTag('__defaultVhost__/live/livestream')).toBe('vid-pa80gvphag')
  const tags = Array.from({ length: 10_000 }, (_, index) => streamTag(`v/live/${index}`))
  expect(new Set(tags).size).toBe(tags.length)
  for (const tag of tags) expect(tag).toMatch(/^vid-[0-9a-z]{10}$/)
  expect(tags).toContain(streamTag('v/live/7'))
})
