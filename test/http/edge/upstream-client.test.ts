import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { TlsTrust } from '../../../src/config/tls-trust.ts'
import { UpstreamClient } from '../../../src/http/edge/upstream-client.ts'
import { selfSigned } from '../../support/certificates.ts'
import { tempDir } from '../../support/temp-dir.ts'

test('a server over TLS is asked by those alone who trust its certificate', async () => {
  const { cert, key } = selfSigned(tempDir())
  const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) =>
    response.end(request.url),
  ).listen(0, '127.0.0.1')
  const client = new UpstreamClient()
  onTestFinished(() => {
    client.close()
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  const base = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const get = (trust: TlsTrust) =>
    client.get({
      ...{ base, trust, path: '/live/x.m3u8', vhost: '', credentials: '', loop: '' },
      ...{ silenceMs: 5000, totalMs: 5000, room: () => true },
    })
  const strict = { tlsCa: '', tlsVerify: true }
  const answer = { status: 200, bytes: Buffer.from('/live/x.m3u8') }
  const refusal = { code: 'HLS_UPSTREAM', message: expect.stringContaining('certificate') }
  await expect(get(strict)).rejects.toMatchObject(refusal)
  expect(await client.probe(base, 5000)).toBe(false)
  expect(await get({ tlsCa: cert, tlsVerify: true })).toEqual(answer)
  expect(await get({ tlsCa: '', tlsVerify: false })).toEqual(answer)
  // There are connections now, which are not for everybody.
  await expect(get(strict)).rejects.toMatchObject(refusal)
})
