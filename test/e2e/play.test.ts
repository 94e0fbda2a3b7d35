import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Command } from './support/command.ts'
import { FfmpegPlayer, framesOfFile, probe, publishFile } from './support/ffmpeg.ts'
import { type Frame, fromZero } from './support/frames.ts'
import { media } from './support/media.ts'
import { startServer } from './support/server.ts'
import { TestPlayer } from './support/test-player.ts'

/** Faster than in real time, so that ten seconds of media do not take ten. */
const rate = 6

test('ffprobe sees both tracks as the encoder made them', async () => {
  const server = await startServer()
  publishFile(media().clip, server.url('one'), { loop: true })
  await server.waitForLog({ msg: 'source: publisher attached' })
  expect(await probe(server.url('one'))).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        codec_type: 'video',
        codec_name: 'h264',
        profile: 'Main',
        width: 320,
        height: 180,
        r_frame_rate: '25/1',
      }),
      expect.objectContaining({
        codec_type: 'audio',
        codec_name: 'aac',
        profile: 'LC',
        sample_rate: '44100',
        channels: 2,
      }),
    ]),
  )
})

test('ffmpeg plays every frame from the first, byte by byte, with the times it was published with', async () => {
  const server = await startServer()
  const player = new FfmpegPlayer(server.url('one'))
  await server.waitForLog({ msg: 'play' })
  publishFile(media().clip, server.url('one'), { rate })
  const { video, audio } = await framesOfFile(media().clip)
  const played = await player.has(video.frames.length, audio.frames.length)
  expect(played.video.description).toEqual(video.description)
  expect(played.audio.description).toEqual(audio.description)
  expect(fromZero(played.video.frames)).toEqual(fromZero(video.frames))
  expect(fromZero(played.audio.frames)).toEqual(fromZero(audio.frames))
  // One constant for both tracks, or sound and picture would be apart.
  const offsetOf = (track: 'video' | 'audio', frames: readonly Frame[]): number =>
    played[track].frames[0]!.dts - frames[0]!.dts
  expect(offsetOf('audio', audio.frames)).toBe(offsetOf('video', video.frames))
})

test('rtmpdump records every frame', async () => {
  const server = await startServer()
  const recording = join(server.dir, 'rtmpdump.flv')
  const rtmpdump = new Command('rtmpdump', ['--quiet', '--live', '-r', server.url('one'), '-o', recording])
  await server.waitForLog({ msg: 'play' })
  const companion = await TestPlayer.play(server.url('one'))
  publishFile(media().clip, server.url('one'), { rate })
  const { video, audio } = await framesOfFile(media().clip)
  await companion.has(video.frames.length + audio.frames.length)
  // Both players get the same flushes: what one has was written to the other. The end of the server is the end
  // of the stream for rtmpdump, which then writes what it holds back.
  await server.stop()
  await rtmpdump.exited
  const recorded = await framesOfFile(recording)
  expect(fromZero(recorded.video.frames)).toEqual(fromZero(video.frames))
  expect(fromZero(recorded.audio.frames)).toEqual(fromZero(audio.frames))
})
