import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FlvFileWriter, readFlvFile } from '../../src/client/flv-file.ts'
import { amfObject } from '../../src/media/amf-value.ts'
import { encodeAmf0 } from '../../src/media/amf0-writer.ts'
import { keyFrameFlag, metadataFlag, type Packet, sequenceHeaderFlag } from '../../src/media/packet.ts'
import { collect } from './collect.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-flv-'))
})
afterEach(() => rm(folder, { recursive: true }))

const packets: Packet[] = [
  { type: 18, flags: metadataFlag, timestamp: 0, body: encodeAmf0('onMetaData', amfObject({ width: 64 })) },
  { type: 9, flags: sequenceHeaderFlag, timestamp: 0, body: Buffer.from('1700000000', 'hex') },
  { type: 8, flags: sequenceHeaderFlag, timestamp: 0, body: Buffer.from('af001210', 'hex') },
  {
    type: 9,
    flags: keyFrameFlag,
    timestamp: 40,
    body: Buffer.concat([Buffer.of(0x17, 1), Buffer.alloc(200_000)]),
  },
  { type: 8, flags: 0, timestamp: 0xfffffffe, body: Buffer.from('af0121', 'hex') },
]

async function record(path: string): Promise<FlvFileWriter> {
  const writer = await FlvFileWriter.create(path)
  for (const packet of packets) await writer.write(packet)
  await writer.close()
  return writer
}

test('what was written is read, with its flags', async () => {
  const path = join(folder, 'one.flv')
  const writer = await record(path)
  expect(writer.bytesWritten).toBe((await readFile(path)).length)
  expect(await collect(readFlvFile(path))).toEqual(packets)
})

test('a file that is cut off gives its whole tags, then an error', async () => {
  const path = join(folder, 'cut.flv')
  await record(path)
  const bytes = await readFile(path)
  await writeFile(path, bytes.subarray(0, bytes.length - 6))
  const read: Packet[] = []
  await expect(async () => {
    for await (const packet of readFlvFile(path)) read.push(packet)
  }).rejects.toThrow(expect.objectContaining({ code: 'FLV_FORMAT' }))
  expect(read).toEqual(packets.slice(0, -1))
})

test('another file', async () => {
  const path = join(folder, 'other.flv')
  await writeFile(path, '#EXTM3U and more than nine bytes')
  await expect(collect(readFlvFile(path))).rejects.toThrow(expect.objectContaining({ code: 'FLV_FORMAT' }))
})

test('a path that cannot be opened', async () => {
  const path = join(folder, 'missing', 'x.flv')
  await expect(collect(readFlvFile(path))).rejects.toThrow(expect.objectContaining({ code: 'ENOENT' }))
  await expect(FlvFileWriter.create(path)).rejects.toThrow(expect.objectContaining({ code: 'ENOENT' }))
})

test('a disk that is full', async () => {
  const writer = await FlvFileWriter.create('/dev/full')
  const fill = async () => {
    for (let count = 0; count < 100; count++) for (const packet of packets) await writer.write(packet)
  }
  await expect(fill()).rejects.toThrow(expect.objectContaining({ code: 'ENOSPC' }))
  await expect(writer.write(packets[0]!)).rejects.toThrow(expect.objectContaining({ code: 'ENOSPC' }))
  await expect(writer.close()).rejects.toThrow(expect.objectContaining({ code: 'ENOSPC' }))
})
