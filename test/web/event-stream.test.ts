import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EventStreamReader } from '../../web/src/console/event-stream.ts'

function read(...parts: string[]) {
  const reader = new EventStreamReader()
  return parts.flatMap((part) => reader.push(part)).map(({ name, data }) => `${name}: ${data}`)
}

test.each([
  ['event: snapshot\ndata: {}\n\n', ['snapshot: {}']],
  ['retry: 2000\n\n: a comment\n\nid: 1\ndata:a\ndata: b\n\n', ['message: a\nb']],
  ['data: x\r\n\r\ndata: y\r\n\r\n', ['message: x', 'message: y']],
  ['data\n\n', ['message: ']],
  ['data: a:b\n\n', ['message: a:b']],
  ['event: x\n\ndata: 1\n\n', ['message: 1']],
  ['data: unfinished\n', []],
])('%j', (text, events) => {
  expect(read(text)).toEqual(events)
})

test('events are the same however they are cut', () => {
  const text = 'retry: 1\n\nid: 1\r\nevent: snapshot\r\ndata: {"a":1}\r\n\r\ndata: 2\n\n'
  fc.assert(
    fc.property(fc.array(fc.nat(text.length), { maxLength: 8 }), (cuts) => {
      const at = [0, ...cuts.toSorted((a, b) => a - b), text.length]
      const parts = at.slice(1).map((end, index) => text.slice(at[index], end))
      expect(read(...parts)).toEqual(['snapshot: {"a":1}', 'message: 2'])
    }),
  )
})

test('what never ends is given up', () => {
  const reader = new EventStreamReader()
  expect(() => reader.push('x'.repeat(17 * 1024 * 1024))).toThrow('has no end')
})
