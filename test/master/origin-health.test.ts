import { createServer, type Server } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { OriginHealth } from '../../src/master/origin-health.ts'
import { eventually } from '../support/eventually.ts'
import { recordingLogger } from '../support/logger.ts'

function setUp() {
  const { logger, lines } = recordingLogger()
  const health = new OriginHealth(logger, 20)
  onTestFinished(() => health.close())
  return { health, lines }
}

/** A free port that nothing listens on, and what listens there later. */
async function port(): Promise<{ address: string; listen: () => Promise<void>; server: Server }> {
  const server = createServer((socket) => socket.destroy())
  const listenOn = (number: number) =>
    new Promise<void>((resolve) => server.listen(number, '127.0.0.1', resolve))
  await listenOn(0)
  const at = server.address()
  const number = typeof at === 'object' ? (at?.port ?? 0) : 0
  await new Promise((resolve) => server.close(resolve))
  onTestFinished(() => void server.close())
  return { address: `rtmp://127.0.0.1:${number}`, listen: () => listenOn(number), server }
}

test('servers that live take turns', () => {
  const { health } = setUp()
  const firsts = Array.from({ length: 4 }, () => health.order(['a', 'b', 'c'])[0])
  expect(firsts).toStrictEqual(['a', 'b', 'c', 'a'])
  expect(health.order(['a', 'b', 'c']).toSorted()).toStrictEqual(['a', 'b', 'c'])
})

test('a dead server comes last, until a connection to it succeeds', async () => {
  const { health, lines } = setUp()
  const dead = await port()
  const both = [dead.address, 'rtmp://b:1935']
  health.onReport(dead.address, false)
  health.onReport(dead.address, false)
  for (let turn = 0; turn < 3; turn += 1) expect(health.order(both).at(-1)).toBe(dead.address)
  expect(health.order([dead.address])).toStrictEqual([dead.address])
  await dead.listen()
  await eventually(() => expect(lines.length).toBe(2))
  expect([health.order(both)[0], health.order(both)[0]]).toContain(dead.address)
  expect(lines.map(({ msg }) => msg)).toStrictEqual([
    'an upstream server does not answer: others are tried first',
    'an upstream server answers again',
  ])
})

test('a server that a back-source has connected to lives', () => {
  const { health, lines } = setUp()
  health.onReport('rtmp://127.0.0.1:1', false)
  health.onReport('rtmp://127.0.0.1:1', true)
  health.onReport('rtmp://127.0.0.1:1', true)
  expect(lines.length).toBe(2)
  expect(health.order(['rtmp://127.0.0.1:1', 'rtmp://b:1935'])[0]).toBe('rtmp://127.0.0.1:1')
})

test('nothing is looked for after the end', () => {
  const { health } = setUp()
  health.close()
  health.onReport('rtmp://127.0.0.1:1', false)
  expect(health.order(['rtmp://127.0.0.1:1', 'rtmp://b:1935'])[0]).toBe('rtmp://127.0.0.1:1')
})
