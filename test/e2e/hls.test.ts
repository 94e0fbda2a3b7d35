import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Packet, sequenceHeaderFlag, videoType } from '../../src/media/packet.ts'
import { run } from './support/command.ts'
import { publishFile } from './support/ffmpeg.ts'
import { type Frame, fromZero } from './support/frames.ts'
import { discontinuitiesOf, HlsFiles, hlsOptions, lengthOf } from './support/hls.ts'
import { media } from './support/media.ts'
import { TestPublisher } from './support/test-publisher.ts'
import { bareFrames, complaintsAbout, packetsOfFile, withStartCodes } from './support/transport-stream.ts'

/** Faster than in real time, so that ten seconds of media do not take ten. */
const rate = 8

const contents = (frames: readonly Frame[]): string[] => frames.map(({ md5 }) => md5)

/** What ffmpeg plays with keys beside the playlist. */
const anyKey = ['-allowed_extensions', 'ALL']

async function makeAudio(dir: string, name: string, ...codec: string[]): Promise<string> {
  const file = join(dir, name)
  const source = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100:duration=7']
  const { status, stderr } = await run('ffmpeg', ['-v', 'error', '-y', ...source, ...codec, file])
  if (status !== 0) throw new Error(stderr)
  return file
}

test('what ffmpeg publishes is what players of the playlist get, frame by frame', async () => {
  const { server, hls } = await HlsFiles.start()
  const { status } = await publishFile(media().clip, server.url('one'), { rate }).exited
  expect(status).toBe(0)
  const playlist = await hls.has(4)
  expect(hls.names).toEqual(['one-0.ts', 'one-1.ts', 'one-2.ts', 'one-3.ts', 'one-4.ts', 'one.m3u8'])
  expect(playlist).toMatchObject({ targetDuration: 3, mediaSequence: 0, discontinuitySequence: 0 })
  expect(discontinuitiesOf(playlist)).toEqual([])
  expect(playlist.segments.slice(0, 4).map(({ durationMs }) => durationMs)).toEqual([2000, 2000, 2000, 2000])
  expect(await hls.complaints()).toBe('')
  const ended = hls.ended()
  expect(await complaintsAbout(ended)).toBe('')
  expect(fromZero(await bareFrames(ended, 'h264'))).toEqual(fromZero(await bareFrames(media().clip, 'h264')))
  expect(contents(await bareFrames(ended, 'aac'))).toEqual(contents(await bareFrames(media().clip, 'aac')))
})

test('each segment can be played alone, from a key frame', async () => {
  const { server, hls } = await HlsFiles.start()
  await publishFile(media().clip, server.url('one'), { rate }).exited
  await hls.has(4)
  const source = contents(await bareFrames(media().clip, 'h264'))
  for (const seq of [0, 1, 2, 3, 4]) {
    const segment = join(hls.dir, `one-${seq}.ts`)
    expect(await complaintsAbout(segment)).toBe('')
    expect(contents(await bareFrames(segment, 'h264'))).toEqual(source.slice(50 * seq, 50 * (seq + 1)))
  }
})

test('a stream that is published again, twice, goes on behind discontinuities', async () => {
  const { server, hls } = await HlsFiles.start()
  for (const last of [4, 9, 14]) {
    await publishFile(media().clip, server.url('one'), { rate }).exited
    await hls.has(last)
  }
  const { playlist } = hls
  expect(playlist).toMatchObject({ mediaSequence: 0, discontinuitySequence: 0 })
  expect(playlist!.segments.map(({ uri }) => uri)).toEqual(
    Array.from({ length: 15 }, (_, seq) => `one-${seq}.ts`),
  )
  expect(discontinuitiesOf(playlist!)).toEqual([5, 10])
  expect(await hls.complaints()).toBe('')
  const ended = hls.ended()
  expect(await complaintsAbout(ended)).toBe('')
  const source = contents(await bareFrames(media().clip, 'h264'))
  expect(contents(await bareFrames(ended, 'h264'))).toEqual([...source, ...source, ...source])
})

test('the playlist is a window, and what is out of it is deleted in time', async () => {
  const { server, hls } = await HlsFiles.start({ hls_window: 5 })
  for (const last of [4, 9, 14]) {
    await publishFile(media().clip, server.url('one'), { rate }).exited
    await hls.has(last)
  }
  const { playlist } = hls
  expect(playlist).toMatchObject({ mediaSequence: 12, discontinuitySequence: 2 })
  expect(playlist!.segments.map(({ uri }) => uri)).toEqual(['one-12.ts', 'one-13.ts', 'one-14.ts'])
  expect(hls.names).toEqual([
    'one-10.ts',
    'one-11.ts',
    'one-12.ts',
    'one-13.ts',
    'one-14.ts',
    'one-9.ts',
    'one.m3u8',
  ])
  expect(await hls.complaints()).toBe('')
})

describe('audio alone', () => {
  test.each([
    ['AAC', 'aac', ['-c:a', 'aac', '-b:a', '64k']],
    ['MP3', 'mp3', ['-c:a', 'libmp3lame', '-b:a', '128k']],
  ] as const)('%s', async (_, codec, options) => {
    const { server, hls } = await HlsFiles.start()
    const file = await makeAudio(server.dir, 'audio.flv', ...options)
    await publishFile(file, server.url('one'), { rate }).exited
    const playlist = await hls.has(3)
    for (const { durationMs } of playlist.segments.slice(0, 3)) {
      expect(Math.abs(durationMs - 2000)).toBeLessThanOrEqual(27)
    }
    expect(await hls.complaints()).toBe('')
    const ended = hls.ended()
    expect(await complaintsAbout(ended)).toBe('')
    expect(contents(await bareFrames(ended, codec))).toEqual(contents(await bareFrames(file, codec)))
  })
})

test('H.264 that comes with start codes plays like any other', async () => {
  const { server, hls } = await HlsFiles.start()
  const packets = await packetsOfFile(media().clip)
  const config = packets.find(({ type, flags }) => type === videoType && flags & sequenceHeaderFlag)!
  const asSent = (packet: Packet): Packet =>
    packet.type === videoType && packet !== config && packet.body[1] === 1
      ? withStartCodes(packet, config)
      : packet
  const publisher = await TestPublisher.publish(server.url('one'))
  await publisher.send(packets.map(asSent))
  await publisher.close()
  await hls.has(4)
  expect(await hls.complaints()).toBe('')
  const ended = hls.ended()
  expect(await complaintsAbout(ended)).toBe('')
  expect(contents(await bareFrames(ended, 'h264'))).toEqual(contents(await bareFrames(media().clip, 'h264')))
})

test('encrypted segments are decrypted by ffmpeg', async () => {
  const { server, hls } = await HlsFiles.start({ hls_keys: 'on', hls_fragments_per_key: 2 })
  await publishFile(media().clip, server.url('one'), { rate }).exited
  const { segments } = await hls.has(4)
  expect(new Set(segments.map(({ key }) => key?.uri))).toEqual(
    new Set(['one-0.key', 'one-2.key', 'one-4.key']),
  )
  expect(await hls.complaints()).toBe('')
  const ended = hls.ended()
  expect(await complaintsAbout(ended, anyKey)).toBe('')
  expect(contents(await bareFrames(ended, 'h264', anyKey))).toEqual(
    contents(await bareFrames(media().clip, 'h264')),
  )
  const plain = await complaintsAbout(join(hls.dir, 'one-0.ts'))
  expect(plain).not.toBe('')
})

test('a stop finishes the last segment, and the next start goes on behind it', async () => {
  const { server, hls } = await HlsFiles.start()
  publishFile(media().clip, server.url('one'), { loop: true, rate })
  const before = await hls.has(2)
  await server.stop()
  expect(hls.names.filter((name) => name.endsWith('.tmp'))).toEqual([])
  const stopped = hls.playlist!
  expect(lengthOf(stopped)).toBeGreaterThanOrEqual(lengthOf(before))
  expect(await complaintsAbout(hls.ended())).toBe('')
  await server.start()
  await publishFile(media().clip, server.url('one'), { rate }).exited
  const next = stopped.segments.length
  const playlist = await hls.has(next + 4)
  expect(playlist.segments.slice(0, next)).toEqual(stopped.segments)
  expect(discontinuitiesOf(playlist)).toEqual([...discontinuitiesOf(stopped), next])
  expect(await hls.complaints()).toBe('')
  // The stream's time begins anew with the process; ffmpeg, which passes over discontinuities, is not to see both.
  for (const { uri } of playlist.segments) expect(await complaintsAbout(join(hls.dir, uri))).toBe('')
})

test('hls_dispose deletes the files of a stream that is gone', async () => {
  const { server, hls } = await HlsFiles.start({ hls_dispose: 2 }, { settings: { source_linger: 1 } })
  await publishFile(media().clip, server.url('one'), { rate }).exited
  await hls.has(4)
  await server.waitForLog({ msg: 'source: closed' })
  await server.waitForLog({ msg: 'hls: deleted', stream: 'live/one' })
  expect(hls.names).toEqual([])
})

test('a reload turns HLS on and off for a stream that is live', async () => {
  const { server, hls } = await HlsFiles.start({ enabled: 'off' })
  publishFile(media().clip, server.url('one'), { loop: true, rate })
  await server.waitForLog({ msg: 'source: publisher attached' })
  server.configure(hlsOptions())
  server.master.signal('SIGHUP')
  await hls.has(1)
  const status = await server.waitForStatus('HLS in the status', ({ workers }) =>
    workers.some(({ streams }) => streams.some((stream) => (stream.hls?.sequence ?? -1) >= 1)),
  )
  expect(
    status.workers.flatMap(({ streams }) => streams.flatMap((stream) => stream.hls ?? [])),
  ).toMatchObject([{ enabled: true, fragment: 2, lost: 0 }])
  server.configure(hlsOptions({ enabled: 'off' }))
  server.master.signal('SIGHUP')
  await server.waitForStatus('no HLS in the status', ({ workers }) =>
    workers.every(({ streams }) => streams.every((stream) => stream.hls === undefined)),
  )
  expect(await complaintsAbout(hls.ended())).toBe('')
})
