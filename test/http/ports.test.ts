import { once } from 'node:events'
import { copyFileSync, writeFileSync } from 'node:fs'
import { Agent, get, type IncomingMessage } from 'node:http'
import { get as getSecurely } from 'node:https'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { TLSSocket } from 'node:tls'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type PortHandler, WebPorts } from '../../src/http/ports.ts'
import { selfSigned } from '../support/certificates.ts'
import { configOf } from '../support/config.ts'
import { sharedTempDir } from '../support/temp-dir.ts'

/** Ports that answer each request with the face it came in by, unless `held` says to wait. */
async function setUp(config: string) {
  const onEmpty = vi.fn()
  const held: (() => void)[] = []
  let isHolding = false
  const handler: PortHandler = {
    onRequest: (face, _request, response) => {
      const answer = (): void => void response.end(face)
      if (isHolding) held.push(answer)
      else answer()
    },
    onUpgrade: (face, _request, socket) => socket.end(`upgrade on ${face}`),
    onAcceptError: (error) => expect.unreachable(error.message),
    onEmpty,
  }
  const ports = new WebPorts(handler)
  onTestFinished(() => ports.close())
  const addresses = await ports.apply(configOf(config))
  const portOf = (index: number): number => Number(addresses[index]!.split(':').at(-1))
  return { ports, addresses, portOf, onEmpty, held, hold: () => (isHolding = true) }
}

/** One request over a connection that is kept open if the server lets it. */
function ask(port: number): { agent: Agent; response: Promise<IncomingMessage> } {
  const agent = new Agent({ keepAlive: true })
  onTestFinished(() => agent.destroy())
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    get({ port, agent }, resolve).on('error', reject)
  })
  return { agent, response }
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port)
  onTestFinished(() => {
    socket.destroy()
  })
  await once(socket, 'connect')
  return socket
}

const both = 'http_api { enabled on; listen 127.0.0.1:0; } http_server { enabled on; listen 127.0.0.1:0; }'
const site = 'http_server { enabled on; listen 127.0.0.1:0; }'
const api = 'http_api { enabled on; listen 127.0.0.1:0; }'

describe('a port', () => {
  test.each([
    [api, 'api'],
    [site, 'site'],
    [both, 'both'],
  ])('of { %s } has the face %s', async (config, face) => {
    const { portOf } = await setUp(config)
    expect(await text(await ask(portOf(0)).response)).toBe(face)
  })

  test('hands requests for another protocol on, socket and all', async () => {
    const { portOf } = await setUp(site)
    const socket = await open(portOf(0))
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    expect(await text(socket)).toBe('upgrade on site')
  })

  test('that is taken away closes, and answers what was asked before', async () => {
    const { ports, portOf, held, hold } = await setUp(site)
    const port = portOf(0)
    hold()
    const { response } = ask(port)
    await vi.waitFor(() => expect(held.length).toBe(1))
    expect(await ports.apply(configOf())).toStrictEqual([])
    await expect(ask(port).response).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    held[0]!()
    expect(await text(await response)).toBe('site')
  })

  test('takes max_connections and some more, to tell them that the server is full', async () => {
    const { ports, portOf } = await setUp(`max_connections 1; ${site}`)
    const sockets = await Promise.all(Array.from({ length: 1001 }, () => open(portOf(0))))
    const further = await open(portOf(0))
    await once(further, 'close')
    expect(ports.connections).toBe(1001)
    for (const socket of sockets) expect(socket.closed).toBe(false)
  })
})

describe('draining', () => {
  test('closes idle connections at once and the others after their answer', async () => {
    const { ports, portOf, held, hold, onEmpty } = await setUp(site)
    const idle = await ask(portOf(0)).response
    await text(idle)
    hold()
    const { response } = ask(portOf(0))
    await vi.waitFor(() => expect(held.length).toBe(1))
    ports.drain()
    await vi.waitFor(() => expect(ports.connections).toBe(1))
    expect(onEmpty).not.toHaveBeenCalled()
    held[0]!()
    expect(await text(await response)).toBe('site')
    // It began before the end was known: the connection is closed when it is idle.
    await vi.waitFor(() => {
      ports.closeIdle()
      expect(onEmpty).toHaveBeenCalledTimes(1)
    })
    expect(ports.connections).toBe(0)
  })
})

describe('over TLS', () => {
  const dir = sharedTempDir()
  const [first, second] = [selfSigned(dir, 'first'), selfSigned(dir, 'second')]
  const used = { cert: join(dir, 'used.crt'), key: join(dir, 'used.key') }
  const use = ({ cert, key }: typeof used): void => {
    copyFileSync(cert, used.cert)
    copyFileSync(key, used.key)
  }
  const https = `https { enabled on; listen 127.0.0.1:0; cert ${used.cert}; key ${used.key}; }`
  const secureSite = `http_server { enabled on; listen 127.0.0.1:0; ${https} }`

  /** What is answered, and the name in the certificate. */
  async function askSecurely(port: number): Promise<[string, string]> {
    const options = { port, host: '127.0.0.1', ca: [first.pem, second.pem], agent: false as const }
    const [response] = (await once(getSecurely(options), 'response')) as [IncomingMessage]
    const { subject } = (response.socket as TLSSocket).getPeerCertificate()
    return [await text(response), String(subject.CN)]
  }

  test('the same is served as in the clear', async () => {
    use(first)
    const { addresses, portOf } = await setUp(secureSite)
    expect(addresses).toHaveLength(2)
    expect(await askSecurely(portOf(1))).toStrictEqual(['site', 'first'])
    const plain = await ask(portOf(0)).response
    expect(await text(plain)).toBe('site')
  })

  test('API and site share an address, if their certificate is the same', async () => {
    use(first)
    const { addresses, portOf } = await setUp(
      `http_api { enabled on; listen 127.0.0.1:0; ${https} } ${secureSite}`,
    )
    expect(addresses).toHaveLength(2)
    expect(await askSecurely(portOf(1))).toStrictEqual(['both', 'first'])
  })

  test('a certificate is read again by each apply; one that is none leaves the one in force', async () => {
    use(first)
    const { ports, portOf } = await setUp(secureSite)
    use(second)
    await ports.apply(configOf(secureSite))
    expect(await askSecurely(portOf(1))).toStrictEqual(['site', 'second'])
    writeFileSync(used.cert, 'no certificate')
    await expect(ports.apply(configOf(secureSite))).rejects.toMatchObject({ code: 'TLS_FILES' })
    expect(await askSecurely(portOf(1))).toStrictEqual(['site', 'second'])
  })

  test('what is going on is waited for when it drains, and what is idle is closed', async () => {
    use(first)
    const { ports, portOf, onEmpty, held, hold } = await setUp(secureSite)
    hold()
    const answer = askSecurely(portOf(1))
    await vi.waitFor(() => expect(held).toHaveLength(1))
    ports.drain()
    expect(onEmpty).not.toHaveBeenCalled()
    held[0]!()
    expect(await answer).toStrictEqual(['site', 'first'])
    await vi.waitFor(() => expect(onEmpty).toHaveBeenCalled())
  })
})
