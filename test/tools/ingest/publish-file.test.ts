import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test, vi } from 'vitest'
import { FlvFileWriter, readFlvFile } from '../../../src/client/flv-file.ts'
import { encodeAmf0 } from '../../../src/media/amf0-writer.ts'
import {
  audioType,
  dataType,
  isHeader,
  type Packet,
  type PacketType,
  videoType,
} from '../../../src/media/packet.ts'
import { loopFlvFile } from '../../../src/tools/ingest/loop.ts'
import { publishFile } from '../../../src/tools/ingest/publish-file.ts'
import { TinyServer } from '../../client/tiny-server.ts'
import { tempDir } from '../../support/temp-dir.ts'

const demo = fileURLToPath(new URL('../../../demo/weir.flv', import.meta.url))

/** A packet of H.264 or AAC as an FLV file has it. */
function packet(type: PacketType, timestamp: number, ...body: (number | string)[]): Packet {
  const bytes = body.map((part) => (typeof part === 'number' ? Buffer.from([part]) : Buffer.from(part)))
  return { type, flags: 0, timestamp, body: Buffer.concat(bytes) }
}

const keyFrame = (timestamp: number) => packet(videoType, timestamp, 0x17, 1, 0, 0, 0, 'key')
const interFrame = (timestamp: number) => packet(videoType, timestamp, 0x27, 1, 0, 0, 0, 'inter')
const sound = (timestamp: number) => packet(audioType, timestamp, 0xaf, 1, 'sound')
const videoHeader = (mark: string) => packet(videoType, 0, 0x17, 0, 0, 0, 0, mark)
const audioHeader = (mark: string) => packet(audioType, 0, 0xaf, 0, mark)
/** AVC end of sequence, as muxers write it at the end. */
const end = packet(videoType, 120, 0x17, 2, 0, 0, 0)

async function fileOf(...packets: Packet[]): Promise<string> {
  const path = join(tempDir(), 'x.flv')
  const writer = await FlvFileWriter.create(path)
  for (const packet of packets) await writer.write(packet)
  await writer.close()
  return path
}

async function taken(path: string, count: number): Promise<Packet[]> {
  const packets: Packet[] = []
  const loop = loopFlvFile(path)
  while (packets.length < count) packets.push((await loop.next()).value)
  await loop.return(undefined as never)
  return packets
}

test('the times of a loop go on, and headers come once', async () => {
  const metadata = { ...packet(dataType, 0), body: encodeAmf0('onMetaData', null) }
  const headers = [metadata, videoHeader('avc'), audioHeader('aac')]
  const frames = [keyFrame(1000), sound(1010), interFrame(1040), sound(1033), interFrame(1080), sound(1056)]
  const packets = await taken(await fileOf(...headers, ...frames, end), 3 + 2 * frames.length)
  expect(packets.slice(0, 3).every(isHeader)).toBe(true)
  const times = packets.slice(3).map(({ timestamp }) => timestamp)
  // The video has 40 ms a frame: its next one is due 120 ms behind the first.
  expect(times).toEqual([0, 10, 40, 33, 80, 56, 120, 130, 160, 153, 200, 176])
})

test('a track that is much longer than the others is waited for', async () => {
  const frames = [keyFrame(0), interFrame(40), sound(20), sound(1020)]
  const packets = await taken(await fileOf(...frames), 5)
  // The sound is 1000 ms a frame: its next one is due then, and so is the picture.
  expect(packets.at(-1)).toMatchObject({ type: videoType, timestamp: 2000 })
})

test('a track that begins and ends before the other does not make that wait', async () => {
  const frames = [sound(0), keyFrame(23), sound(40), interFrame(63)]
  const packets = await taken(await fileOf(...frames), 8)
  expect(packets.map(({ timestamp }) => timestamp)).toEqual([0, 23, 40, 63, 80, 103, 120, 143])
})

test('headers that have changed within the file come again in each round', async () => {
  const path = await fileOf(videoHeader('one'), keyFrame(0), videoHeader('two'), keyFrame(40))
  const packets = await taken(path, 8)
  expect(packets.map((packet) => (isHeader(packet) ? 'header' : packet.timestamp))).toEqual([
    ...['header', 0, 'header', 40],
    ...['header', 80, 'header', 120],
  ])
})

test('a recording that was cut off is played up to there', async () => {
  const path = await fileOf(keyFrame(0), interFrame(40), interFrame(80))
  writeFileSync(path, readFileSync(path).subarray(0, -10))
  expect((await taken(path, 4)).map(({ timestamp }) => timestamp)).toEqual([0, 40, 80, 120])
})

test.each([
  ['without frames', () => fileOf(videoHeader('avc'))],
  ['with one frame', () => fileOf(keyFrame(0))],
  [
    'that is no FLV',
    async () => {
      const path = join(tempDir(), 'x')
      writeFileSync(path, 'something else')
      return path
    },
  ],
])('a file %s is refused', async (_, make) => {
  await expect(taken(await make(), 10)).rejects.toMatchObject({ code: 'FLV_FORMAT' })
})

test('the demo clip is small, begins with a key frame and goes round without a gap', async () => {
  expect(readFileSync(demo).length).toBeLessThanOrEqual(1024 ** 2)
  let length = 0
  for await (const _packet of readFlvFile(demo)) length += 1
  const packets = (await taken(demo, 2 * length - 10)).filter(({ type }) => type === videoType)
  const frames = packets.filter((packet) => !isHeader(packet))
  const steps = frames.slice(1).map(({ timestamp }, index) => timestamp - frames[index]!.timestamp)
  expect(Math.min(...steps)).toBe(40)
  expect(Math.max(...steps)).toBe(40)
})

async function startServer(change?: ConstructorParameters<typeof TinyServer>[0]) {
  const server = new TinyServer(change)
  const url = `${await server.listen()}/live/x`
  onTestFinished(() => server.close())
  return { server, url }
}

test('publishes a file until it is ended, and ends in good order', async () => {
  const { server, url } = await startServer()
  const ending = new AbortController()
  const path = await fileOf(videoHeader('avc'), keyFrame(0), interFrame(20))
  const published = publishFile(path, url, ending.signal)
  await vi.waitFor(() => expect(server.peers[0]?.packets.length ?? 0).toBeGreaterThan(6), { timeout: 10_000 })
  ending.abort()
  await published
  await vi.waitFor(() => expect(server.peers[0]?.ended).toEqual(['unpublish']), { timeout: 10_000 })
})

test('a file that cannot be read is not published', async () => {
  const { server, url } = await startServer()
  const published = publishFile('/no/such.flv', url, new AbortController().signal)
  await expect(published).rejects.toMatchObject({ code: 'ENOENT' })
  expect(server.peers).toEqual([])
})

test('ends with an error when the server closes the connection', async () => {
  const { server, url } = await startServer()
  const path = await fileOf(videoHeader('avc'), keyFrame(0), interFrame(20))
  const published = publishFile(path, url, new AbortController().signal)
  const closed = expect(published).rejects.toMatchObject({ code: 'RTMP_CLOSED' })
  await vi.waitFor(() => expect(server.peers[0]?.packets.length ?? 0).toBeGreaterThan(2), { timeout: 10_000 })
  server.peers[0]!.socket.destroy()
  await closed
})
