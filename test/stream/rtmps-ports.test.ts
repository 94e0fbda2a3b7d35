import { once } from 'node:events'
import { copyFileSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import { RtmpsPorts } from '../../src/stream/rtmps-ports.ts'
import { selfSigned } from '../support/certificates.ts'
import { configOf } from '../support/config.ts'
import { sharedTempDir } from '../support/temp-dir.ts'

const dir = sharedTempDir()
const [first, second] = [selfSigned(dir, 'first'), selfSigned(dir, 'second')]

async function ports(handshake = '5') {
  const used = { cert: join(dir, 'used.crt'), key: join(dir, 'used.key') }
  const use = ({ cert, key }: typeof used): void => {
    copyFileSync(cert, used.cert)
    copyFileSync(key, used.key)
  }
  use(first)
  const config = configOf(
    `handshake_timeout ${handshake}; rtmps { enabled on; listen 127.0.0.1:0; cert ${used.cert}; key ${used.key}; }`,
  )
  const secured: Socket[] = []
  const failures: string[] = []
  const failed = Promise.withResolvers<void>()
  const opened = new RtmpsPorts(config, {
    onSecure: (socket) => {
      secured.push(socket)
      socket.on('error', () => {})
    },
    onFailed: (ip, code) => {
      failures.push(`${ip} ${code}`)
      failed.resolve()
    },
    onAcceptError: (error) => expect.unreachable(error.message),
  })
  onTestFinished(() => {
    opened.close()
    for (const socket of secured) socket.destroy()
  })
  const [address = ''] = await opened.apply(config)
  const port = Number(address.slice(address.lastIndexOf(':') + 1))
  return { opened, config, port, use, used, secured, failures, failed: failed.promise }
}

/** The name in the certificate that a client is shown. */
async function certificateAt(port: number): Promise<string> {
  const client = await secureClient(port)
  const { subject } = client.getPeerCertificate()
  client.destroy()
  return String(subject.CN)
}

async function secureClient(port: number): Promise<TLSSocket> {
  const client = connectTls({ port, host: '127.0.0.1', ca: [first.pem, second.pem] })
  onTestFinished(() => void client.destroy())
  await once(client, 'secureConnect')
  return client
}

describe('the certificate', () => {
  test('is read again by each apply; who is connected stays with the one it had', async () => {
    const { opened, config, port, use, secured } = await ports()
    const client = await secureClient(port)
    use(second)
    expect(await certificateAt(port)).toBe('first')
    await opened.apply(config)
    expect(await certificateAt(port)).toBe('second')
    secured[0]!.write('still here')
    const [bytes] = (await once(client, 'data')) as [Buffer]
    expect(bytes.toString()).toBe('still here')
  })

  test.each([
    ['is none', 'used.crt', 'no certificate'],
    ['has another key', 'used.key', null],
  ])('that %s leaves the one that is in force', async (_what, name, text) => {
    const { opened, config, port } = await ports()
    if (text === null) copyFileSync(second.key, join(dir, name))
    else writeFileSync(join(dir, name), text)
    await expect(opened.apply(config)).rejects.toMatchObject({ code: 'TLS_FILES' })
    expect(await certificateAt(port)).toBe('first')
  })
})

describe('a client that does not shake hands', () => {
  test('but speaks in the clear is told of and closed', async () => {
    const { port, failures, failed, secured } = await ports()
    const client = connect(port, '127.0.0.1')
    client.on('error', () => {}).resume()
    client.write(Buffer.alloc(1537, 3))
    await Promise.all([failed, once(client, 'close')])
    expect(failures).toStrictEqual([expect.stringMatching(/^127\.0\.0\.1 ERR_SSL_/)])
    expect(secured).toStrictEqual([])
  })

  test('but waits is closed after handshake_timeout', async () => {
    const { port, failures, failed } = await ports('0.1')
    const client = connect(port, '127.0.0.1').resume()
    await Promise.all([failed, once(client, 'close')])
    expect(failures).toStrictEqual(['127.0.0.1 ERR_TLS_HANDSHAKE_TIMEOUT'])
  })
})

test('switched off, nothing listens; who is connected stays', async () => {
  const { opened, port, secured } = await ports()
  const client = await secureClient(port)
  expect(await opened.apply(configOf())).toStrictEqual([])
  const refused = connect(port, '127.0.0.1')
  const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException]
  expect(error.code).toBe('ECONNREFUSED')
  secured[0]!.write('x')
  await once(client, 'data')
})
