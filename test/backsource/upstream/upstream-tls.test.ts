import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { ForwardLink } from '../../../src/backsource/forward/forward-link.ts'
import { PublishLink } from '../../../src/backsource/relay/publish-link.ts'
import { openLink } from '../../../src/backsource/upstream/open-link.ts'
import type { UpstreamLink } from '../../../src/backsource/upstream/upstream-link.ts'
import { type TlsTrust, tlsOptions } from '../../../src/config/tls-trust.ts'
import { encodeTag, flvHeader } from '../../../src/media/flv/writer.ts'
import { type Packet, videoType } from '../../../src/media/packet.ts'
import { TinyServer } from '../../client/tiny-server.ts'
import { type SelfSigned, selfSigned } from '../../support/certificates.ts'
import { eventually } from '../../support/eventually.ts'
import { recordingLogger } from '../../support/logger.ts'
import { keyFrame } from '../../support/packets.ts'
import { sharedTempDir } from '../../support/temp-dir.ts'

/** Of the server, and of somebody else. */
let own: SelfSigned
let foreign: SelfSigned

beforeAll(() => {
  const dir = sharedTempDir()
  own = selfSigned(dir, 'own')
  foreign = selfSigned(dir, 'foreign')
})

const files = () => ({ cert: readFileSync(own.cert), key: readFileSync(own.key) })

async function rtmpsServer(): Promise<{ server: TinyServer; at: string }> {
  const server = new TinyServer(({ handler, session }) => {
    handler.onPlay = ({ streamId }) => {
      session.acceptPlay(streamId)
      session.sendPacket(streamId, keyFrame(0))
    }
  }, files())
  onTestFinished(() => server.close())
  return { server, at: await server.listen() }
}

async function httpsServer(): Promise<string> {
  const server = createServer(files(), (_, response) => {
    response.write(flvHeader({ audio: false, video: true }))
    response.write(encodeTag(videoType, 0, keyFrame(0).body))
  }).listen(0, '127.0.0.1')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** The ways to trust a server, and whether this one is trusted then. */
const ways: [what: string, trust: () => TlsTrust, isTrusted: boolean][] = [
  ['its certificate in tls_ca', () => ({ tlsCa: own.cert, tlsVerify: true }), true],
  ['tls_verify off', () => ({ tlsCa: '', tlsVerify: false }), true],
  ['the usual authorities', () => ({ tlsCa: '', tlsVerify: true }), false],
  ['another certificate in tls_ca', () => ({ tlsCa: foreign.cert, tlsVerify: true }), false],
]

describe.each(ways)('with %s', (_, trust, isTrusted) => {
  const verdict = isTrusted ? 'is accepted' : 'is refused'
  const refusal = { message: expect.stringMatching(/certificate|self.signed/) }

  test.each(['rtmps', 'https'])(`a pull over %s ${verdict}`, async (schema) => {
    const at = schema === 'rtmps' ? `${(await rtmpsServer()).at}/live/x` : `${await httpsServer()}/live/x.flv`
    const packets: Packet[] = []
    const opening = openLink(
      { url: at },
      {
        ...{
          timeoutMs: 5000,
          signal: new AbortController().signal,
          trust: trust(),
          route: [],
          identity: null,
        },
        onPacket: (packet) => packets.push(packet),
      },
    )
    if (!isTrusted) {
      await expect(opening).rejects.toMatchObject(refusal)
      return
    }
    const link: UpstreamLink = await opening
    onTestFinished(() => link.close())
    await eventually(() => expect(packets.map(({ body }) => body)).toEqual([keyFrame(0).body]))
  })

  const source = { chunkSize: 60_000, queueMs: 1e4, stallMs: 1e4, join: () => {}, leave: () => {} }

  test(`a publish over rtmps ${verdict}`, async () => {
    const { server, at } = await rtmpsServer()
    const { signal } = new AbortController()
    const opening = PublishLink.open({ url: `${at}/live/x`, tls: await tlsOptions(trust()), signal }, source)
    if (!isTrusted) {
      await expect(opening).rejects.toMatchObject(refusal)
      return
    }
    const link = await opening
    expect(server.peers[0]?.publish).toMatchObject({ stream: 'x' })
    link.destroy(new Error('enough'))
  })

  test(`a forward over rtmps ${verdict}`, async () => {
    const { at } = await rtmpsServer()
    const { logger } = recordingLogger()
    const target = { name: 'it', url: `${at}/live/x` }
    const link = new ForwardLink('it', () => target, { ...source, logger, trust: trust(), route: [] }, 60_000)
    onTestFinished(() => link.stop())
    link.start()
    await eventually(() => expect(link.status.state).toBe(isTrusted ? 'forwarding' : 'retrying'))
    if (!isTrusted) expect(link.status.lastError).toMatch(/certificate|self.signed/)
  })
})

test('a file of certificates that is not there is named', async () => {
  await expect(tlsOptions({ tlsCa: '/nowhere/ca.crt', tlsVerify: true })).rejects.toMatchObject({
    code: 'TLS_FILES',
    message: expect.stringContaining('/nowhere/ca.crt'),
  })
})
