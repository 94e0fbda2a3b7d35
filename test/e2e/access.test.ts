import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { SignJWT } from 'jose'
import { expect, onTestFinished, test } from 'vitest'
import { signedQuery } from '../../src/access/signed-url.ts'
import { selfSigned } from '../support/certificates.ts'
import { FfmpegPlayer, probe, publishFile } from './support/ffmpeg.ts'
import { freePort } from './support/free-port.ts'
import { hlsOptions } from './support/hls.ts'
import { media } from './support/media.ts'
import { Server, type ServerOptions, startServer } from './support/server.ts'
import { TestPlayer } from './support/test-player.ts'
import { TestPublisher } from './support/test-publisher.ts'
import { until } from './support/until.ts'

/** The name in the certificate that a new client of a port is shown. */
function certificateAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN))
      socket.destroy()
    })
    socket.once('error', reject)
  })
}

/** Has the configuration read again, and waits until every worker with clients has taken it up. */
async function reloaded(server: Server, workers: number): Promise<void> {
  const count = (): number => server.logs().filter(({ msg }) => msg === 'listening').length
  const before = count()
  await server.reload()
  await until('all workers to have taken it up', () => count() === before + workers)
}

/** What comes of a request over TLS until it has a live stream in it. */
async function liveOver(port: number, path: string, headers: readonly string[] = []): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  onTestFinished(() => void socket.destroy())
  let received = ''
  socket.setEncoding('latin1').on('data', (text: string) => (received += text))
  socket.write([`GET ${path} HTTP/1.1`, 'Host: localhost', ...headers, '', ''].join('\r\n'))
  await until('a live stream', () => received.includes('FLV\x01') && received.length > 20_000)
  return received
}

test('TLS: ffmpeg and players, a renewed certificate while they go on, a bad one, off and on', async () => {
  const [port, httpsPort] = [await freePort(), await freePort()]
  const files = 'cert used.crt; key used.key;'
  const options = (enabled: string): ServerOptions => ({
    workers: 2,
    httpWorkers: 1,
    httpServer: `https { enabled ${enabled}; listen ${httpsPort}; ${files} }`,
    vhost: 'http_remux { enabled on; }',
    more: `rtmps { enabled ${enabled}; listen ${port}; ${files} }`,
  })
  const server = await Server.prepare(options('on'))
  const [first, second] = [selfSigned(server.dir, 'first'), selfSigned(server.dir, 'second')]
  const use = ({ cert, key }: typeof first): void => {
    copyFileSync(cert, join(server.dir, 'used.crt'))
    copyFileSync(key, join(server.dir, 'used.key'))
  }
  const certificates = async (): Promise<string[]> =>
    Promise.all([port, httpsPort].map((one) => certificateAt(one)))
  use(first)
  await server.start()
  const tls = { ca: first.pem + second.pem }
  const urlOf = (stream: string): string => `rtmps://127.0.0.1:${port}/live/${stream}`

  const encoder = publishFile(media().clip, urlOf('encoder'), { loop: true })
  const player = await TestPlayer.play(server.url('encoder'))
  const secure = await TestPlayer.play(urlOf('encoder'), { tls })
  await player.has(20)
  await secure.has(20)
  expect(await certificates()).toEqual(['first', 'first'])
  expect(await liveOver(httpsPort, '/live/encoder.flv')).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']
  const key = `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}`
  expect(await liveOver(httpsPort, '/live/encoder.flv', [...upgrade, key])).toMatch(/^HTTP\/1\.1 101 /)

  use(second)
  await reloaded(server, 3)
  expect(await certificates()).toEqual(['second', 'second'])
  await secure.hasMore(20)

  writeFileSync(join(server.dir, 'used.crt'), 'no certificate')
  server.master.signal('SIGHUP')
  const line = await server.waitForLog(({ msg }) => msg.startsWith('reload refused'))
  expect(line).toMatchObject({ level: 'error', code: 'TLS_FILES' })
  expect(await certificates()).toEqual(['second', 'second'])

  server.configure(options('off'))
  await reloaded(server, 3)
  await expect(TestPlayer.play(urlOf('encoder'), { tls })).rejects.toMatchObject({ code: 'RTMP_CLOSED' })
  await expect(certificateAt(httpsPort)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  await secure.hasMore(10)
  use(second)
  server.configure(options('on'))
  await reloaded(server, 3)
  await (await TestPlayer.play(urlOf('encoder'), { tls })).has(10)
  expect(encoder.finished).toBeNull()
})

const secret = 'a-secret-of-an-end-to-end-test'
const now = Math.floor(Date.now() / 1000)

/** A server whose default virtual host asks for a signature or a token, and three more beside it. */
function accessOptions(isOpen = false, settings: ServerOptions['settings'] = {}): ServerOptions {
  const conditions = isOpen ? 'enabled off;' : 'enabled on;'
  const remux = 'http_remux { enabled on; }'
  const auth = `auth { ${conditions} publish signed; play signed jwt; secret ${secret}; jwt_secret ${secret}; }`
  const more = [
    `vhost denied.test { security { enabled on; deny play 127.0.0.1; } ${remux} }`,
    `vhost page.test { refer { enabled on; play page.test; } ${remux} }`,
  ]
  return hlsOptions(
    {},
    { workers: 2, httpWorkers: 1, settings, vhost: `${auth} ${remux}`, more: more.join('\n') },
  )
}

function signed(action: 'publish' | 'play', stream: string, expires = now + 600, key = secret): string {
  return signedQuery(key, { action, stream: `__defaultVhost__/live/${stream}`, expires })
}

async function tokenFor(stream: string, key = secret): Promise<string> {
  const token = new SignJWT({ action: 'play', stream, exp: now + 600 }).setProtectedHeader({ alg: 'HS256' })
  return token.sign(Buffer.from(key))
}

/** What somebody makes who does not know the secret. */
async function forgedQueries(): Promise<string[]> {
  const guessed = 'a-secret-that-somebody-has-guessed'
  const [, payload] = (await tokenFor('live/one')).split('.')
  const unsigned = Buffer.from('{"alg":"none"}').toString('base64url')
  return [
    `?${signed('play', 'one', now + 600, guessed)}`,
    // A good one, for longer.
    `?${signed('play', 'one').replace(String(now + 600), String(now + 6000))}`,
    `?token=${await tokenFor('live/one', guessed)}`,
    `?token=${unsigned}.${payload}.`,
  ]
}

/** The status of an answer, whose body is not waited for. */
async function statusOf(url: string, headers: Record<string, string> = {}): Promise<number> {
  const abort = new AbortController()
  const { status } = await fetch(url, { headers, signal: abort.signal })
  abort.abort()
  return status
}

test('one stream, asked for with and without what it takes, over RTMP, HTTP-FLV and HLS', async () => {
  const server = await startServer(accessOptions())
  const one = server.url('one')
  const { stdout, status } = await server.weir('sign', 'publish', one, '--expires', '10m')
  expect(status).toBe(0)
  const encoder = publishFile(media().clip, stdout.trim(), { loop: true })
  const refused = { code: 'RTMP_REJECTED' }
  const token = await tokenFor('live/one')

  // RTMP.
  const player = await TestPlayer.play(`${one}?${signed('play', 'one')}`)
  await player.has(20)
  const ffmpeg = new FfmpegPlayer(`${one}?token=${token}`)
  const wrong = [
    '',
    `?${signed('play', 'two')}`,
    `?${signed('play', 'one', now - 1)}`,
    `?${signed('publish', 'one')}`,
    `?token=${await tokenFor('live/two')}`,
    ...(await forgedQueries()),
  ]
  for (const query of wrong) await expect(TestPlayer.play(one + query)).rejects.toMatchObject(refused)
  const forged = `?${signed('publish', 'other', now + 600, 'a-secret-that-somebody-has-guessed')}`
  for (const query of ['', `?${signed('play', 'other')}`, forged]) {
    await expect(TestPublisher.publish(server.url('other') + query)).rejects.toMatchObject(refused)
  }
  expect(server.logs()).toContainEqual(
    expect.objectContaining({ msg: 'publish refused', code: 'TOKEN_MISSING' }),
  )

  // HTTP-FLV.
  const flv = server.httpUrl('/live/one.flv')
  expect(await statusOf(`${flv}?${signed('play', 'one')}`)).toBe(200)
  expect(await statusOf(flv, { Authorization: `Bearer ${token}` })).toBe(200)
  for (const query of wrong) expect(await statusOf(flv + query)).toBe(401)

  // HLS: what the playlist names is opened by what opened the playlist.
  const playlist = server.httpUrl('/live/one.m3u8')
  const allowed = `${playlist}?${signed('play', 'one')}`
  const text = await until('a segment', async () => {
    const answer = await fetch(allowed)
    return answer.status === 200 && (await answer.text())
  })
  const segment = new URL(text.split('\n').find((line) => line !== '' && !line.startsWith('#'))!, playlist)
  const opened = await fetch(segment)
  expect(opened.status, await opened.clone().text()).toBe(200)
  expect(Buffer.from(await opened.arrayBuffer())[0]).toBe(0x47)
  expect(await statusOf(new URL(segment.pathname, playlist).href)).toBe(401)
  expect(await statusOf(playlist, { Authorization: `Bearer ${token}` })).toBe(200)
  for (const query of wrong) expect(await statusOf(playlist + query)).toBe(401)
  expect((await probe(allowed)).map(({ codec_name }) => codec_name).sort()).toEqual(['aac', 'h264'])

  // By address and by page.
  await expect(TestPlayer.play(`${one}?vhost=denied.test`)).rejects.toMatchObject(refused)
  expect(await statusOf(`${flv}?vhost=denied.test`)).toBe(403)
  const connectFields = { pageUrl: 'https://www.page.test/watch' }
  await TestPlayer.play(`${one}?vhost=page.test`, { connectFields })
  await expect(TestPlayer.play(`${one}?vhost=page.test`)).rejects.toMatchObject(refused)
  expect(await statusOf(`${flv}?vhost=page.test`, { Referer: 'https://evil.test/' })).toBe(403)

  // So many connections of one address, over all workers and protocols.
  await ffmpeg.has(10, 10)
  const { connections } = await server.waitForStatus(
    'those to leave that were refused',
    (found) => found.connections === 4,
  )
  server.configure(accessOptions(false, { max_connections_per_ip: connections + 1 }))
  await reloaded(server, 3)
  const last = await TestPlayer.play(`${one}?${signed('play', 'one')}`)
  await expect(TestPlayer.play(`${one}?${signed('play', 'one')}`)).rejects.toMatchObject({
    code: 'RTMP_CLOSED',
  })
  expect(await statusOf(`${flv}?${signed('play', 'one')}`)).toBe(503)
  await server.waitForLog({ msg: 'closed', code: 'ADDRESS_LIMIT' })
  await last.close()

  // Switched off while the stream goes on.
  server.configure(accessOptions(true))
  await reloaded(server, 3)
  await (await TestPlayer.play(one)).has(10)
  expect(await statusOf(playlist)).toBe(200)
  await player.hasMore(10)
  expect(encoder.finished).toBeNull()
})
