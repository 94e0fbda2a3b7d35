import { expect, test } from 'vitest'
import { PacketQueue } from '../../src/client/packet-queue.ts'
import type { Packet } from '../../src/media/packet.ts'

function packet(timestamp: number, size = 1): Packet {
  return { type: 8, flags: 0, timestamp, body: Buffer.alloc(size) }
}

test('a reader gets packets that are there and packets that come, then the end', async () => {
  const queue = new PacketQueue({ packets: 10, bytes: 1000 }, () => {})
  const reader = queue.read()
  queue.push(packet(1))
  queue.push(packet(2))
  expect((await reader.next()).value).toMatchObject({ timestamp: 1 })
  expect((await reader.next()).value).toMatchObject({ timestamp: 2 })
  const third = reader.next()
  queue.push(packet(3))
  queue.end(null)
  expect((await third).value).toMatchObject({ timestamp: 3 })
  expect(await reader.next()).toEqual({ done: true, value: undefined })
})

test('an error comes after the packets', async () => {
  const queue = new PacketQueue({ packets: 10, bytes: 1000 }, () => {})
  const reader = queue.read()
  queue.push(packet(1))
  queue.end(new Error('broken'))
  queue.end(null)
  expect((await reader.next()).done).toBe(false)
  await expect(reader.next()).rejects.toThrow('broken')
})

test.each([
  ['packets', { packets: 4, bytes: 1000 }, 1],
  ['bytes', { packets: 100, bytes: 40 }, 10],
] as const)('full by %s, until half of it is read', async (_by, limits, size) => {
  let rooms = 0
  const queue = new PacketQueue(limits, () => {
    rooms += 1
  })
  for (let count = 0; count < 3; count++) queue.push(packet(count, size))
  expect(queue.full).toBe(false)
  queue.push(packet(3, size))
  expect(queue.full).toBe(true)
  const reader = queue.read()
  await reader.next()
  expect([queue.full, rooms]).toEqual([true, 0])
  await reader.next()
  expect([queue.full, rooms]).toEqual([false, 1])
  await reader.next()
  expect(rooms).toBe(1)
})
