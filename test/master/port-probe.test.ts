import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { holderOf, probe } from '../../src/master/port-probe.ts'

async function takenPort(host: string): Promise<number> {
  const server = createServer()
  onTestFinished(() => {
    server.close()
  })
  await new Promise<void>((resolve) => {
    server.listen(0, host, resolve)
  })
  return (server.address() as AddressInfo).port
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => {
    server.listen(0, resolve)
  })
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => {
    server.close(resolve)
  })
  return port
}

describe('probing', () => {
  test('finds a free port free, and leaves it so', async () => {
    const port = await freePort()
    await probe({ host: null, port })
    await probe({ host: '127.0.0.1', port })
    expect(holderOf(port)).toBeNull()
  })

  test.runIf(process.platform === 'linux')('lets nobody in on a port that closes again', async () => {
    const port = await freePort()
    const probing = probe({ host: '127.0.0.1', port })
    const client = connect(port, '127.0.0.1')
    const [error] = await once(client, 'error')
    expect(error).toMatchObject({ code: 'ECONNREFUSED' })
    await probing
  })

  test('does not ask for port 0: the system picks one', async () => {
    await expect(probe({ host: null, port: 0 })).resolves.toBeUndefined()
  })

  test('names the address that is taken and who holds it', async () => {
    const port = await takenPort('127.0.0.1')
    const refusal = probe({ host: '127.0.0.1', port })
    await expect(refusal).rejects.toMatchObject({
      code: 'LISTEN',
      message: expect.stringContaining(`listen 127.0.0.1:${port}`),
    })
    if (process.platform === 'linux') {
      await expect(refusal).rejects.toThrow(`in use by ${holderOf(port)}`)
      expect(holderOf(port)).toContain(`(pid ${process.pid})`)
    }
  })

  test('says why an address cannot be had', async () => {
    await expect(probe({ host: '192.0.2.1', port: 1935 })).rejects.toMatchObject({
      code: 'LISTEN',
      message: expect.stringContaining('EADDRNOTAVAIL'),
    })
  })
})
