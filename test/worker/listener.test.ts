import { createConnection, createServer } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Listeners } from '../../src/worker/listener.ts'

const anyPort = { host: '127.0.0.1', port: 0 }

function newListeners(): Listeners {
  const listeners = new Listeners(
    () => createServer((socket) => socket.destroy()),
    (error) => expect.unreachable(error.message),
  )
  onTestFinished(() => listeners.close())
  return listeners
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const listeners = newListeners()
  const [address] = await listeners.apply([anyPort])
  listeners.close()
  return Number(address!.slice(address!.lastIndexOf(':') + 1))
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

describe('listeners', () => {
  test('open what is new, close what is gone, and leave the rest', async () => {
    const [one, two, three] = [await freePort(), await freePort(), await freePort()]
    const at = (...ports: number[]) => ports.map((port) => ({ host: '127.0.0.1', port }))
    const listeners = newListeners()
    expect(await listeners.apply(at(one, two))).toStrictEqual([`127.0.0.1:${one}`, `127.0.0.1:${two}`])
    expect(await listeners.apply(at(two, three))).toStrictEqual([`127.0.0.1:${two}`, `127.0.0.1:${three}`])
    expect(await Promise.all([one, two, three].map(isListening))).toStrictEqual([false, true, true])
  })

  test('that are told twice at once leave nothing behind that nobody closes', async () => {
    const port = await freePort()
    const listeners = newListeners()
    const endpoints = [{ host: '127.0.0.1', port }]
    await Promise.all([listeners.apply(endpoints), listeners.apply(endpoints)])
    listeners.close()
    expect(await isListening(port)).toBe(false)
  })

  test('that are told twice at once have what they were told last', async () => {
    const [one, two] = [await freePort(), await freePort()]
    const listeners = newListeners()
    const first = listeners.apply([{ host: '127.0.0.1', port: one }])
    const last = listeners.apply([{ host: '127.0.0.1', port: two }])
    await Promise.all([first, last])
    expect(await Promise.all([one, two].map(isListening))).toStrictEqual([false, true])
  })

  test('stay closed when they are closed while they open, and afterwards', async () => {
    const port = await freePort()
    const listeners = newListeners()
    const applying = listeners.apply([{ host: '127.0.0.1', port }])
    listeners.close()
    expect(await applying).toStrictEqual([])
    expect(await listeners.apply([{ host: '127.0.0.1', port }])).toStrictEqual([])
    expect(await isListening(port)).toBe(false)
  })

  test('stay as they were when one cannot be opened', async () => {
    const [one, two] = [await freePort(), await freePort()]
    const listeners = newListeners()
    await listeners.apply([{ host: '127.0.0.1', port: one }])
    const bad = { host: '192.0.2.1', port: two }
    const applying = listeners.apply([{ host: '127.0.0.1', port: two }, bad])
    await expect(applying).rejects.toMatchObject({ code: 'LISTEN' })
    expect(await Promise.all([one, two].map(isListening))).toStrictEqual([true, false])
    expect(listeners.addresses).toStrictEqual([`127.0.0.1:${one}`])
    await listeners.apply([{ host: '127.0.0.1', port: two }])
    expect(await Promise.all([one, two].map(isListening))).toStrictEqual([false, true])
  })
})
