import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { expect, test } from 'vitest'
import { selfSigned } from '../support/certificates.ts'
import { publishFile } from './support/ffmpeg.ts'
import { freePort } from './support/free-port.ts'
import { media } from './support/media.ts'
import { Server } from './support/server.ts'
import { TestPlayer } from './support/test-player.ts'

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

test('RTMPS: ffmpeg and players, a renewed certificate while they go on, a bad one, off and on', async () => {
  const port = await freePort()
  const rtmps = (enabled: string) => ({
    workers: 2,
    more: `rtmps { enabled ${enabled}; listen ${port}; cert used.crt; key used.key; }`,
  })
  const server = await Server.prepare(rtmps('on'))
  const [first, second] = [selfSigned(server.dir, 'first'), selfSigned(server.dir, 'second')]
  const use = ({ cert, key }: typeof first): void => {
    copyFileSync(cert, join(server.dir, 'used.crt'))
    copyFileSync(key, join(server.dir, 'used.key'))
  }
  use(first)
  await server.start()
  const tls = { ca: first.pem + second.pem }
  const urlOf = (stream: string): string => `rtmps://127.0.0.1:${port}/live/${stream}`

  const encoder = publishFile(media().clip, urlOf('encoder'), { loop: true })
  const player = await TestPlayer.play(server.url('encoder'))
  const secure = await TestPlayer.play(urlOf('encoder'), { tls })
  await player.has(20)
  await secure.has(20)
  expect(await certificateAt(port)).toBe('first')

  use(second)
  await server.reload()
  await server.waitForLog(({ msg }) => msg === 'listening')
  expect(await certificateAt(port)).toBe('second')
  await secure.hasMore(20)

  writeFileSync(join(server.dir, 'used.crt'), 'no certificate')
  server.master.signal('SIGHUP')
  const line = await server.waitForLog(({ msg }) => msg.startsWith('reload refused'))
  expect(line).toMatchObject({ level: 'error', code: 'TLS_FILES' })
  expect(await certificateAt(port)).toBe('second')

  server.configure(rtmps('off'))
  await server.reload()
  await expect(TestPlayer.play(urlOf('encoder'), { tls })).rejects.toMatchObject({ code: 'RTMP_CLOSED' })
  await secure.hasMore(20)
  use(second)
  server.configure(rtmps('on'))
  await server.reload()
  const again = await TestPlayer.play(urlOf('encoder'), { tls })
  await again.has(20)
  expect(encoder.finished).toBeNull()
})
