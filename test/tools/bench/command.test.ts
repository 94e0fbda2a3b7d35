import { describe, expect, test } from 'vitest'
import { benchCommand } from '../../../src/tools/bench/command.ts'

describe('weir bench refuses at once', () => {
  test.each([
    ['HTTP, for now', ['play', '-c', '1', '-r', 'http://h/live/s.flv'], 'BENCH_OPTION'],
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
