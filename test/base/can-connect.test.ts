import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { canConnect } from '../../src/base/can-connect.ts'

const longMs = 20_000

async function listening(): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((socket) => socket.destroy())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()))
  onTestFinished(close)
  return { port: (server.address() as AddressInfo).port, close }
}

test('a server that listens is there, and one that has ended is not', async () => {
  const { port, close } = await listening()
  expect(await canConnect(`rtmp://127.0.0.1:${port}`, longMs)).toBe(true)
  expect(await canConnect(`http://127.0.0.1:${port}`, longMs)).toBe(true)
  await close()
  expect(await canConnect(`rtmp://127.0.0.1:${port}`, longMs)).toBe(false)
})

test('what is no address leads nowhere, and neither does an attempt that is ended', async () => {
  expect(await canConnect('nowhere', longMs)).toBe(false)
  const { port } = await listening()
  expect(await canConnect(`rtmp://127.0.0.1:${port}`, longMs, AbortSignal.abort())).toBe(false)
})
