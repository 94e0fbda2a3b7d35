import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { opcode } from '../../../src/http/live/websocket.ts'
import { WebSocketReader } from '../../../src/http/live/websocket-reader.ts'
import { maskedFrame } from './frames.ts'

/** What a reader makes of bytes that come in pieces. */
function read(pieces: readonly Buffer[]): string[] {
  const story: string[] = []
  const reader = new WebSocketReader({
    onPing: (payload) => story.push(`ping ${payload.toString('hex')}`),
    onPong: () => story.push('pong'),
    onClose: () => story.push('close'),
  })
  for (const piece of pieces) reader.push(piece)
  return story
}

const text = (length: number): Buffer => Buffer.alloc(length, 'x')

test('control frames are told, messages are passed over, however the bytes are cut', () => {
  const bytes = Buffer.concat([
    maskedFrame(opcode.text, text(3)),
    maskedFrame(opcode.ping, Buffer.of(1, 2, 3, 4, 5)),
    maskedFrame(opcode.binary, text(200), false),
    maskedFrame(opcode.pong, text(125)),
    maskedFrame(opcode.continuation, text(60_000)),
    maskedFrame(opcode.ping, Buffer.alloc(0)),
    maskedFrame(opcode.text, Buffer.alloc(0)),
    maskedFrame(opcode.close, Buffer.of(3, 232)),
  ])
  const expected = ['ping 0102030405', 'pong', 'ping ', 'close']
  expect(read([bytes])).toStrictEqual(expected)
  expect(read(Array.from(bytes, (byte) => Buffer.of(byte)))).toStrictEqual(expected)
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 10 }), (cuts) => {
      const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
      expect(read(at.slice(1).map((end, index) => bytes.subarray(at[index], end)))).toStrictEqual(expected)
    }),
  )
})

describe('is refused:', () => {
  test.each<[string, Buffer]>([
    ['a frame without mask', Buffer.of(0x81, 0x00)],
    ['reserved bits', Buffer.of(0xc1, 0x80)],
    ['an opcode that there is not', Buffer.of(0x83, 0x80)],
    ['a control opcode that there is not', Buffer.of(0x8b, 0x80)],
    ['a control frame in parts', Buffer.of(0x09, 0x80)],
    ['a long control frame', Buffer.of(0x89, 0xfe)],
    ['a message that is too long', maskedFrame(opcode.binary, text(65_537)).subarray(0, 20)],
    ['a message that is far too long', Buffer.of(0x82, 0xff, 0x7f, ...Array(11).fill(0xff))],
  ])('%s', (_, bytes) => {
    expect(() => read([bytes])).toThrow(expect.objectContaining({ code: 'HTTP_WEBSOCKET' }))
  })

  test('a message that is too long in its parts together', () => {
    const part = (code: number): Buffer => maskedFrame(code, text(30_000), false)
    const parts = [part(opcode.binary), part(opcode.continuation)]
    expect(read(parts)).toStrictEqual([])
    expect(() => read([...parts, part(opcode.continuation)])).toThrow(
      expect.objectContaining({ code: 'HTTP_WEBSOCKET' }),
    )
  })
})

test('garbage does no more than to be refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      try {
        read([Buffer.from(bytes)])
      } catch (error) {
        expect(error).toMatchObject({ code: 'HTTP_WEBSOCKET' })
      }
    }),
  )
})
