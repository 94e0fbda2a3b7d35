import { describe, expect, test } from 'vitest'
import { encodePong, FrameReader } from '../../../../src/tools/bench/http/frame-reader.ts'
import { hex } from '../../../rtmp/bytes.ts'

function read(wire: Buffer, size = wire.length): string[] {
  const told: string[] = []
  let data = ''
  const reader = new FrameReader({
    onData: (bytes, start, end) => {
      data += bytes.toString('latin1', start, end)
    },
    onPing: (payload) => told.push(`ping ${payload.toString()}`),
    onClose: () => told.push('close'),
  })
  for (let at = 0; at < wire.length; at += size) {
    const piece = Buffer.concat([Buffer.of(0xee), wire.subarray(at, at + size), Buffer.of(0xee)])
    reader.push(piece, 1, piece.length - 1)
  }
  return [data, ...told]
}

const long = 'x'.repeat(300)

test('frames of all lengths, also in the middle of a message, however they are cut', () => {
  const wire = Buffer.concat([
    hex('02 03'),
    Buffer.from('abc'),
    hex('89 02'),
    Buffer.from('hi'),
    hex('80 7e 012c'),
    Buffer.from(long),
    hex('82 7f 0000000000000001'),
    Buffer.from('z'),
    hex('82 00 8a 00 89 00 88 02 03e8'),
  ])
  for (const size of [1, 2, 3, 5, 100, 1000]) {
    expect(read(wire, size)).toStrictEqual([`abc${long}z`, 'ping hi', 'ping ', 'close'])
  }
})

describe('a server may not send', () => {
  test.each([
    ['a mask', '82 81 00000000 61'],
    ['text as media', '81 01 61'],
    ['an opcode that does not exist', '83 01 61'],
    ['a ping in parts', '09 01 61'],
    ['a long ping', '89 7e 0100'],
  ])('%s', (_, digits) => {
    expect(() => read(hex(digits))).toThrow(expect.objectContaining({ code: 'HTTP_WEBSOCKET' }))
  })
})

test('a pong has the payload of the ping and a mask', () => {
  expect(encodePong(Buffer.from('hi'))).toStrictEqual(hex('8a 82 00000000 6869'))
})
