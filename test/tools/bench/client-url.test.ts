import { expect, test } from 'vitest'
import { clientUrl } from '../../../src/tools/bench/client-url.ts'

test.each([
  ['rtmp://h/live/s', 3, null, 'rtmp://h/live/s'],
  ['rtmp://h/live/s_{i}', 0, null, 'rtmp://h/live/s_0'],
  ['rtmp://h/app{i}/s_{i}?id={i}', 12, null, 'rtmp://h/app12/s_12?id=12'],
  ['rtmp://h/live/s_{i}', 4, 5, 'rtmp://h/live/s_4'],
  ['rtmp://h/live/s_{i}', 5, 5, 'rtmp://h/live/s_0'],
  ['rtmp://h/live/s_{i}', 17, 5, 'rtmp://h/live/s_2'],
] as const)('%s of client %i, %s streams', (pattern, index, streams, url) => {
  expect(clientUrl(pattern, index, streams)).toBe(url)
})
