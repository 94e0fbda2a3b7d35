import { expect, test } from 'vitest'
import { BatchBuffer } from '../../src/live/batch.ts'

function put(buffer: BatchBuffer, bytes: Buffer): void {
  const target = buffer.reserve(bytes.length)
  bytes.copy(target, buffer.length)
  buffer.advance(buffer.length + bytes.length)
}

test('holds nothing before it is used', () => {
  expect(new BatchBuffer().capacity).toBe(0)
})

test('gathers what is put, however large, and gives it out in memory of its own', () => {
  const buffer = new BatchBuffer()
  const pieces = [Buffer.alloc(3, 'a'), Buffer.alloc(100_000, 'b'), Buffer.alloc(5, 'c')]
  for (const piece of pieces) put(buffer, piece)
  expect(buffer.length).toBe(100_008)
  const taken = buffer.take()
  expect(taken.equals(Buffer.concat(pieces))).toBe(true)
  expect(taken.buffer.byteLength).toBe(taken.length)
  expect(buffer.length).toBe(0)
  put(buffer, Buffer.alloc(10, 'x'))
  expect(taken.equals(Buffer.concat(pieces))).toBe(true)
})

test('keeps its room from batch to batch', () => {
  const buffer = new BatchBuffer()
  put(buffer, Buffer.alloc(100_000))
  const { capacity } = buffer
  buffer.take()
  put(buffer, Buffer.alloc(50_000))
  expect(buffer.capacity).toBe(capacity)
})

test('gives back the room of a burst: a cached GOP may be 32 MiB, and the next batch is small', () => {
  const buffer = new BatchBuffer()
  put(buffer, Buffer.alloc(10_000_000))
  buffer.take()
  expect(buffer.capacity).toBeLessThan(256 * 1024)
  put(buffer, Buffer.from('after'))
  expect(buffer.take().toString()).toBe('after')
})
