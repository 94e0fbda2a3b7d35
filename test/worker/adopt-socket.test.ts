import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { adoptSocket } from '../../src/worker/adopt-socket.ts'

let server: Server
let peer: Socket
let adopted: Socket

afterEach(() => {
  peer.destroy()
  adopted.destroy()
  server.close()
})

/** A connection whose accepted end was adopted. */
async function setUp(): Promise<{ reads: Buffer[] }> {
  server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection')
  peer = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [[socket]] = (await Promise.all([accepted, once(peer, 'connect')])) as [[Socket], unknown]
  const reads: Buffer[] = []
  adopted = adoptSocket(socket, 1000, (bytes) => {
    reads.push(Buffer.from(bytes))
    adopted.emit('read')
  })
  return { reads }
}

test('delivers what comes, and emits no data events beside', async () => {
  const { reads } = await setUp()
  adopted.on('data', () => expect.unreachable('a data event'))
  peer.write('hello')
  await once(adopted, 'read')
  expect(Buffer.concat(reads).toString()).toBe('hello')
  expect(adopted.bytesRead).toBe(5)
  expect(adopted.readableLength).toBe(0)
})

test('writes, with a high-water mark of its own', async () => {
  await setUp()
  expect(adopted.writableHighWaterMark).toBe(1000)
  adopted.write('answer')
  const [bytes] = (await once(peer, 'data')) as [Buffer]
  expect(bytes.toString()).toBe('answer')
})

test('knows both addresses', async () => {
  await setUp()
  expect(adopted.remoteAddress).toBe('127.0.0.1')
  expect(adopted.remotePort).toBe(peer.localPort)
  expect(adopted.localPort).toBe(peer.remotePort)
})

test('a paused one leaves everything with the kernel, and reads it at once when it goes on', async () => {
  const { reads } = await setUp()
  peer.write('1')
  await once(adopted, 'read')
  adopted.pause()
  for (let part = 2; part <= 9; part += 1) {
    peer.write(String(part))
    // Each is a segment of its own, that the kernel has when the callback comes.
    await new Promise((resolve) => peer.write('', resolve))
  }
  await new Promise((resolve) => setImmediate(resolve))
  expect(reads.length).toBe(1)
  expect(adopted.readableLength).toBe(0)
  adopted.resume()
  await once(adopted, 'read')
  expect(Buffer.concat(reads).toString()).toBe('123456789')
  expect(reads.length).toBe(2)
})

test('ends when the peer ends', async () => {
  await setUp()
  peer.end('last words')
  await once(adopted, 'end')
  await once(adopted, 'close')
})

test('closes when the peer resets', async () => {
  await setUp()
  const failed = once(adopted, 'error')
  peer.resetAndDestroy()
  const [error] = (await failed) as [NodeJS.ErrnoException]
  expect(error.code).toBe('ECONNRESET')
})

test('is closed by destroying it, and the peer sees it', async () => {
  await setUp()
  const ended = once(peer, 'end')
  peer.resume()
  adopted.destroy()
  await ended
})
