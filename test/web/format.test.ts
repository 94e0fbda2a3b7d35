import { describe, expect, test } from 'vitest'
import {
  formatBitrate,
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
} from '../../web/src/shared/format.ts'
import { isPlainName, publishLines } from '../../web/src/shared/publish-lines.ts'

test.each([
  [0, '0 b/s'],
  [999.4, '999 b/s'],
  [999.6, '1.00 kb/s'],
  [96_400, '96.4 kb/s'],
  [999_600, '1.00 Mb/s'],
  [2_412_000, '2.41 Mb/s'],
  [123_456_789, '123 Mb/s'],
  [5e15, '5000 Tb/s'],
  [-1, '0 b/s'],
  [Number.NaN, '0 b/s'],
])('%d bits a second are %s', (rate, text) => {
  expect(formatBitrate(rate)).toBe(text)
})

test.each([
  [0, '0 s'],
  [59.9, '59 s'],
  [60, '1 min'],
  [185, '3 min 5 s'],
  [7440, '2 h 4 min'],
  [529_200, '6 d 3 h'],
])('%d seconds are %s', (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text)
})

test('bytes, counts and parts', () => {
  expect(formatBytes(1_204_000_000)).toBe('1.20 GB')
  expect(formatCount(12_345)).toBe('12,345')
  expect([0.0049, 0.125, 1.5].map(formatPercent)).toEqual(['0.5 %', '13 %', '150 %'])
})

describe('publishing', () => {
  test('lines name the server as the page knows it', () => {
    const { server, key, url, ffmpegFile } = publishLines('h', 1935, { app: 'live', stream: 'x' })
    expect({ server, key, url }).toEqual({ server: 'rtmp://h/live', key: 'x', url: 'rtmp://h/live/x' })
    expect(ffmpegFile).toBe('ffmpeg -re -i FILE -c copy -f flv rtmp://h/live/x')
    expect(publishLines('[::1]', 19_350, { app: 'live', stream: 'x' }).url).toBe('rtmp://[::1]:19350/live/x')
  })

  test('lines are safe to paste into a shell', () => {
    expect(publishLines('h', 1935, { app: 'live', stream: `$(x)'` }).ffplay).toBe(
      `ffplay 'rtmp://h/live/$(x)'\\'''`,
    )
  })

  test('plain names', () => {
    expect(['x', 'a/b', 'a-b_c.d~1'].filter(isPlainName)).toHaveLength(3)
    expect(['', ' ', 'a b', '..', 'a/../b', '/a', 'a/', '<img>', '€'].filter(isPlainName)).toEqual([])
  })
})
