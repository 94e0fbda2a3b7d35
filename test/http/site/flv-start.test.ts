import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { flvFromOffset } from '../../../src/http/site/flv-start.ts'
import { FlvReader } from '../../../src/media/flv/reader.ts'
import { encodeTag, flvHeader } from '../../../src/media/flv/writer.ts'
import type { Packet } from '../../../src/media/packet.ts'
import { audioHeader, interFrame, keyFrame, metadata, sound, videoHeader } from '../../support/packets.ts'
import { tempDir } from '../../support/temp-dir.ts'

const both = { audio: true, video: true }
const avc = videoHeader(Buffer.of(0x17, 0, 0, 0, 0, 1))
const aac = audioHeader(Buffer.of(0xaf, 0, 0x12, 0x10))
const picture = (type: number, mark: number): Buffer => Buffer.of(type, 1, 0, 0, 0, mark)
const heads = [metadata('meta'), avc, aac]
const media = [
  keyFrame(0, picture(0x17, 0)),
  sound(10, Buffer.of(0xaf, 1, 1)),
  interFrame(40, picture(0x27, 2)),
  keyFrame(80, picture(0x17, 3)),
  sound(90, Buffer.of(0xaf, 1, 4)),
]

/** A file of these packets, and the offset of each tag in it. */
function flvFile(packets: readonly Packet[], content = both) {
  const parts = [
    flvHeader(content),
    ...packets.map(({ type, timestamp, body }) => encodeTag(type, timestamp, body)),
  ]
  const offsets = parts.slice(0, -1).map((_, index) => Buffer.concat(parts.slice(0, index + 1)).length)
  const path = join(tempDir(), 'x.flv')
  const bytes = Buffer.concat(parts)
  writeFileSync(path, bytes)
  return { path, bytes, offsets }
}

async function fromOffset(path: string, start: number): Promise<Buffer> {
  const flv = await flvFromOffset(path, start)
  const bytes = await buffer(flv!.open())
  expect(bytes.length).toBe(flv!.length)
  return bytes
}

/** The bodies of the tags in an FLV file. */
function bodies(bytes: Buffer): Buffer[] {
  const reader = new FlvReader()
  const tags = reader.push(bytes)
  expect(reader.unfinished).toBe(false)
  return tags.map(({ body }) => body)
}

describe('an FLV file', () => {
  test('from a key frame: file header, sequence headers, then the bytes from there', async () => {
    const { path, bytes, offsets } = flvFile([...heads, ...media])
    const start = offsets[6]!
    const part = await fromOffset(path, start)
    expect(bodies(part)).toStrictEqual([avc, aac, media[3]!, media[4]!].map(({ body }) => body))
    expect(part.subarray(-(bytes.length - start))).toStrictEqual(bytes.subarray(start))
  })

  test('from its beginning, and from anywhere before its first frame, is the whole file', async () => {
    const { path, bytes, offsets } = flvFile([...heads, ...media])
    for (const start of [0, 13, offsets[2]!, offsets[3]!]) {
      expect(await fromOffset(path, start)).toStrictEqual(bytes)
    }
  })

  test('of sound alone has one sequence header, and announces what it has', async () => {
    const { path, offsets } = flvFile([aac, media[1]!, media[4]!], { audio: true, video: false })
    const part = await fromOffset(path, offsets[2]!)
    expect(bodies(part)).toStrictEqual([aac.body, media[4]!.body])
    expect(part[4]).toBe(4)
  })

  test('without sequence headers has none', async () => {
    const frames = [keyFrame(0, Buffer.of(0x12, 0)), keyFrame(40, Buffer.of(0x12, 1))]
    const { path, offsets } = flvFile(frames, { audio: false, video: true })
    expect(bodies(await fromOffset(path, offsets[1]!))).toStrictEqual([frames[1]!.body])
  })

  test('whose headers are behind much metadata', async () => {
    const { path, offsets } = flvFile([metadata(Buffer.alloc(200_000)), avc, aac, ...media])
    const part = await fromOffset(path, offsets[6]!)
    expect(bodies(part)).toStrictEqual([avc, aac, media[3]!, media[4]!].map(({ body }) => body))
  })

  test('ends before some offsets', async () => {
    const { path, bytes } = flvFile([...heads, ...media])
    expect(await flvFromOffset(path, bytes.length)).toBeNull()
    expect(await flvFromOffset(path, 1e12)).toBeNull()
    expect(await fromOffset(path, bytes.length - 1)).not.toBeNull()
  })

  test('may be read in part only', async () => {
    const { path, offsets } = flvFile([...heads, ...media])
    const stream = (await flvFromOffset(path, offsets[6]!))!.open()
    stream.destroy()
    expect(stream.destroyed).toBe(true)
  })
})

test('another file is refused', async () => {
  const path = join(tempDir(), 'x.flv')
  writeFileSync(path, 'this is no FLV file')
  await expect(flvFromOffset(path, 5)).rejects.toMatchObject({ code: 'FLV_FORMAT' })
  await expect(flvFromOffset(`${path}.missing`, 5)).rejects.toMatchObject({ code: 'ENOENT' })
})
