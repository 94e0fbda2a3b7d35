import { describe, expect, it } from 'vitest'
import { splitAggregate } from '../../src/rtmp/aggregate.ts'
import { hex } from './bytes.ts'

function aggregate(body: Buffer, timestamp = 1000) {
  return { type: 22, timestamp, streamId: 1, body }
}

/** One part as it stands in an aggregate; the stream id in it is a wrong one on purpose. */
function part(type: number, time: number, data: Buffer): Buffer {
  const header = hex('00 000000 00000000 000009')
  header.writeUInt8(type, 0)
  header.writeUIntBE(data.length, 1, 3)
  header.writeUIntBE(time % 2 ** 24, 4, 3)
  header.writeUInt8(Math.floor(time / 2 ** 24), 7)
  const backPointer = Buffer.alloc(4)
  backPointer.writeUInt32BE(header.length + data.length)
  return Buffer.concat([header, data, backPointer])
}

describe('splitAggregate', () => {
  it('takes the parts apart and gives them the time and stream of the aggregate', () => {
    const body = hex(`
      08 000002 000010 00 000000 af01 0000000d
      09 000003 000024 00 000000 270100 0000000e
      12 000001 000030 00 000000 02 0000000c`)
    expect(splitAggregate(aggregate(body))).toEqual([
      { type: 8, timestamp: 1000, streamId: 1, body: hex('af01') },
      { type: 9, timestamp: 1020, streamId: 1, body: hex('270100') },
      { type: 18, timestamp: 1032, streamId: 1, body: hex('02') },
    ])
  })

  it('keeps distances over the wrap of either clock', () => {
    const body = Buffer.concat([
      part(8, 0xfffffff0, hex('aa')),
      part(8, 0x00000010, hex('bb')),
      part(8, 0x00000000, hex('cc')),
    ])
    const times = splitAggregate(aggregate(body, 0xffffffe8)).map((message) => message.timestamp)
    expect(times).toEqual([0xffffffe8, 0x08, 0xfffffff8])
  })

  it('reads the upper byte of a time', () => {
    const body = Buffer.concat([part(8, 0x01000000, hex('aa')), part(8, 0x02000001, hex('bb'))])
    const times = splitAggregate(aggregate(body, 0)).map((message) => message.timestamp)
    expect(times).toEqual([0, 0x01000001])
  })

  it('knows empty parts and an empty aggregate', () => {
    expect(splitAggregate(aggregate(part(9, 0, hex(''))))[0]?.body.length).toBe(0)
    expect(splitAggregate(aggregate(hex('')))).toEqual([])
  })

  it('copies the bodies, so that a kept one does not hold the aggregate', () => {
    const body = part(8, 0, Buffer.alloc(100_000, 1))
    const parts = splitAggregate(aggregate(body))
    body.fill(0)
    expect(parts[0]?.body).toEqual(Buffer.alloc(100_000, 1))
  })

  it('refuses a body that is cut anywhere', () => {
    const body = Buffer.concat([part(8, 0, hex('aabbcc')), part(9, 0, hex('dd'))])
    const boundary = part(8, 0, hex('aabbcc')).length
    for (let length = 1; length < body.length; length++) {
      if (length === boundary) continue
      expect(() => splitAggregate(aggregate(body.subarray(0, length)))).toThrowError(
        expect.objectContaining({ code: 'RTMP_CONTROL' }),
      )
    }
  })

  it('refuses a part that is said to be longer than the aggregate', () => {
    const body = part(8, 0, hex('aabb'))
    body.writeUIntBE(0xffffff, 1, 3)
    expect(() => splitAggregate(aggregate(body))).toThrowError(
      expect.objectContaining({ code: 'RTMP_CONTROL' }),
    )
  })

  it.each([1, 2, 4, 17, 20, 22])('refuses a part of type %i', (type) => {
    expect(() => splitAggregate(aggregate(part(type, 0, hex('00000000'))))).toThrowError(
      expect.objectContaining({ code: 'RTMP_CONTROL' }),
    )
  })

  it('makes 4,096 messages of one and not more', () => {
    const empty = part(8, 0, hex(''))
    const body = Buffer.concat(new Array<Buffer>(4097).fill(empty))
    expect(splitAggregate(aggregate(body.subarray(empty.length))).length).toBe(4096)
    expect(() => splitAggregate(aggregate(body))).toThrowError(
      expect.objectContaining({ code: 'RTMP_CONTROL' }),
    )
  })
})
