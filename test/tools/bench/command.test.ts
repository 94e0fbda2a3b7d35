import { describe, expect, test } from 'vitest'
import { benchCommand } from '../../../src/tools/bench/command.ts'

describe('weir bench refuses at once', () => {
  test.each([
    ['HTTP with something else', ['play', '-c', '1', '-r', 'http://h/live/s.mp4'], 'BENCH_OPTION'],
    ['HLS over WebSocket', ['play', '-c', '1', '-r', 'ws://h/live/s.m3u8'], 'BENCH_OPTION'],
    ['TLS', ['play', '-c', '1', '-r', 'https://h/live/s.flv'], 'BENCH_OPTION'],
    ['HTTP without a host', ['play', '-c', '1', '-r', 'http:///s.flv'], 'BENCH_OPTION'],
    ['a URL of another scheme', ['play', '-c', '1', '-r', 'rtsp://h/s'], 'BENCH_OPTION'],
    ['a URL without a stream', ['play', '-c', '1', '-r', 'rtmp://h/live'], 'RTMP_NAME'],
    [
      'to publish to such a URL',
      ['publish', '-c', '1', '-r', 'rtmp://h/live', '-i', 'clip.flv'],
      'RTMP_NAME',
    ],
    [
      'more clients than it may open files',
      ['play', '-c', '1000000000', '-r', 'rtmp://h/live/s'],
      'OPEN_FILES',
    ],
  ])('%s', async (_, args, code) => {
    await expect(benchCommand().parseAsync(args, { from: 'user' })).rejects.toMatchObject({ code })
  })
})
