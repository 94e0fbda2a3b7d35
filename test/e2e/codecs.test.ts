import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { amfObject } from '../../src/media/amf-value.ts'
import { encodeAmf0 } from '../../src/media/amf0-writer.ts'
import { audioType, classify, type Packet, type PacketType, videoType } from '../../src/media/packet.ts'
import { contentOf, type Seen } from './support/played.ts'
import { sharedServer } from './support/shared-server.ts'
import { TestPlayer } from './support/test-player.ts'
import { TestPublisher } from './support/test-publisher.ts'

const server = sharedServer()

const fourCc = (text: string): number[] => [...Buffer.from(text)]

/** What stands before the payload of each codec: [video or audio, sequence header, key frame or frame, inter frame]. */
const codecs: { name: string; type: PacketType; header: number[] | null; key: number[]; inter: number[] }[] =
  [
    { name: 'VP6', type: videoType, header: null, key: [0x14], inter: [0x24] },
    { name: 'HEVC as codec 12', type: videoType, header: [0x1c, 0], key: [0x1c, 1], inter: [0x2c, 1] },
    {
      name: 'HEVC, enhanced',
      type: videoType,
      header: [0x90, ...fourCc('hvc1')],
      key: [0x91, ...fourCc('hvc1')],
      inter: [0xa3, ...fourCc('hvc1')],
    },
    {
      name: 'AV1, enhanced',
      type: videoType,
      header: [0x90, ...fourCc('av01')],
      key: [0x91, ...fourCc('av01')],
      inter: [0xa1, ...fourCc('av01')],
    },
    { name: 'MP3', type: audioType, header: null, key: [0x2f], inter: [0x2f] },
    { name: 'Speex', type: audioType, header: null, key: [0xb2], inter: [0xb2] },
    { name: 'G.711', type: audioType, header: null, key: [0x72], inter: [0x72] },
    {
      name: 'Opus, enhanced',
      type: audioType,
      header: [0x90, ...fourCc('Opus')],
      key: [0x91, ...fourCc('Opus')],
      inter: [0x91, ...fourCc('Opus')],
    },
  ]

function packet(type: PacketType, timestamp: number, tag: number[]): Packet {
  const body = Buffer.concat([Buffer.from(tag), randomBytes(300)])
  return { type, timestamp, flags: classify(type, body), body }
}

/** The checksums of headers and frames. */
function allOf(packets: readonly Seen[]): string[] {
  return packets.map(({ md5 }) => md5)
}

describe.each(codecs)('$name', ({ name, type, header, key, inter }) => {
  test('passes through untouched, to who waits and to who joins late', async () => {
    const stream = name.replaceAll(/\W+/g, '-')
    const early = await TestPlayer.play(server().url(stream))
    const publisher = await TestPublisher.publish(server().url(stream))
    const headers = header === null ? [] : [packet(type, 0, header)]
    const frames = Array.from({ length: 20 }, (_, index) =>
      packet(type, index * 40, index === 0 ? key : inter),
    )
    await server().waitForSubscribers(stream)
    await publisher.send([...headers, ...frames])
    await early.has(frames.length)
    expect(allOf(early.packets)).toEqual(allOf(publisher.sent))

    if (type !== videoType) return
    const late = await TestPlayer.play(server().url(stream))
    await late.has(frames.length)
    expect(allOf(late.packets)).toEqual(allOf(publisher.sent))
  })
})

test('a late player gets the headers of all tracks, colours and channels too', async () => {
  const early = await TestPlayer.play(server().url('tracks'))
  const publisher = await TestPublisher.publish(server().url('tracks'))
  const colours = [...encodeAmf0('colorInfo', amfObject({ hdrMdcv: amfObject({ maxLuminance: 1000 }) }))]
  const headers = [
    packet(videoType, 0, [0x90, ...fourCc('hvc1')]),
    packet(videoType, 0, [0x96, 0x00, ...fourCc('hvc1'), 1]),
    packet(videoType, 0, [0x94, ...fourCc('hvc1'), ...colours]),
    packet(audioType, 0, [0x90, ...fourCc('Opus')]),
    packet(audioType, 0, [0x95, 0x00, ...fourCc('Opus'), 1]),
    packet(audioType, 0, [0x94, ...fourCc('Opus')]),
  ]
  const gop = (begin: number): Packet[] => [
    packet(videoType, begin, [0x91, ...fourCc('hvc1')]),
    packet(videoType, begin, [0x96, 0x01, ...fourCc('hvc1'), 1]),
    packet(videoType, begin + 40, [0xa1, ...fourCc('hvc1')]),
    packet(audioType, begin + 40, [0x95, 0x01, ...fourCc('Opus'), 1]),
  ]
  await server().waitForSubscribers('tracks')
  await publisher.send([...headers, ...gop(0), ...gop(80)])
  await early.has(8)
  expect(allOf(early.packets)).toEqual(allOf(publisher.sent))
  const late = await TestPlayer.play(server().url('tracks'))
  await late.has(4)
  const [first, current] = [headers.length, headers.length + 4]
  expect(allOf(late.packets)).toEqual(
    allOf([...publisher.sent.slice(0, first), ...publisher.sent.slice(current)]),
  )
})

test('a stream without video begins at once for who joins late', async () => {
  const publisher = await TestPublisher.publish(server().url('sound'))
  const early = await TestPlayer.play(server().url('sound'))
  await server().waitForSubscribers('sound')
  await publisher.send([packet(audioType, 0, [0x2f])])
  await early.has(1)
  const late = await TestPlayer.play(server().url('sound'))
  const after = Array.from({ length: 3 }, (_, index) => packet(audioType, 26 * (index + 1), [0x2f]))
  await publisher.send(after)
  await late.has(after.length)
  expect(contentOf(late.packets)).toEqual(contentOf(publisher.sent).slice(1))
})

test('IPv6 and IPv4 clients meet on one stream', async () => {
  const publisher = await TestPublisher.publish(`rtmp://[::1]:${server().port}/live/both-families`)
  const player = await TestPlayer.play(server().url('both-families'))
  await publisher.send([packet(videoType, 0, [0x14])])
  await player.has(1)
  expect(contentOf(player.packets)).toEqual(contentOf(publisher.sent))
})
