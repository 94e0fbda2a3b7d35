import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { StreamHooks } from '../../src/hooks/stream-hooks.ts'
import type { ToMaster } from '../../src/ipc/contract.ts'
import { configOf } from '../support/config.ts'
import { heard, hookServer, patience } from '../support/hook-server.ts'
import { recordingLogger } from '../support/logger.ts'

const publisher = {
  ...{ clientId: 'c1', ip: '10.0.0.1', vhost: '__defaultVhost__' },
  ...{ app: 'live', stream: 'x', param: '?token=1' },
}
const segment = {
  ...{ seq: 7, durationMs: 3960, file: 'html/live/x-7.ts', uri: 'x-7.ts', playlistFile: 'html/live/x.m3u8' },
}

function setUp(hooks: string, hls = '') {
  const { logger, lines } = recordingLogger()
  const sent: ToMaster[] = []
  const vhost = `hls { hls_path ./html; ${hls} } http_hooks { ${hooks} }`
  const host = {
    config: configOf(`vhost __defaultVhost__ { ${vhost} }`),
    logger,
    hookIdentity: { server: 'vid-a', service: 'run-1' },
    send: (message: ToMaster) => sent.push(message),
  }
  const streamHooks = new StreamHooks(host)
  onTestFinished(() => streamHooks.close(0))
  return { hooks: streamHooks, host, lines, sent }
}

describe('a segment', () => {
  test('is told (on_hls)', async () => {
    const server = await hookServer()
    const { hooks } = setUp(`enabled on; on_hls ${server.url('/hls?a=1')};`)
    hooks.onHls(publisher, segment)
    await heard(server, 1)
    expect(server.calls[0]).toMatchObject({ method: 'POST', url: '/hls?a=1' })
    expect(server.calls[0]!.body).toStrictEqual({
      ...{ server_id: 'vid-a', service_id: 'run-1', action: 'on_hls', client_id: 'c1', ip: '10.0.0.1' },
      ...{ vhost: '__defaultVhost__', app: 'live', stream: 'x', param: '?token=1' },
      ...{ stream_url: '/live/x', stream_id: expect.stringMatching(/^vid-/), duration: 3.96 },
      ...{ cwd: process.cwd(), file: 'html/live/x-7.ts', url: 'live/x-7.ts', seq_no: 7 },
      ...{ m3u8: 'html/live/x.m3u8', m3u8_url: 'live/x.m3u8' },
    })
  })

  test('is fetched (on_hls_notify), and hls_nb_notify kB of it are read', async () => {
    const server = await hookServer()
    let written = 0
    const { promise: gone, resolve } = Promise.withResolvers<void>()
    server.answer = () => (response) => {
      response.once('close', resolve)
      const piece = Buffer.alloc(16 * 1024)
      const write = (): void => {
        while (!response.destroyed && written < 10_000_000) {
          written += piece.length
          if (!response.write(piece)) {
            response.once('drain', write)
            return
          }
        }
        response.end()
      }
      write()
    }
    const { hooks } = setUp(
      `enabled on; on_hls_notify ${server.url('/[app]/[stream]/[ts_url][param]')};`,
      'hls_nb_notify 32;',
    )
    hooks.onHls(publisher, segment)
    await gone
    expect(server.calls[0]).toMatchObject({ method: 'GET', url: '/live/x/live/x-7.ts?token=1', text: '' })
    expect(written).toBeLessThan(9_000_000)
    await vi.waitFor(
      () => expect(hooks.counts()).toMatchObject([{ action: 'on_hls_notify', answered: 1 }]),
      patience,
    )
  })

  test('is told to nobody when hooks are off', async () => {
    const server = await hookServer()
    const { hooks } = setUp(`enabled off; on_hls ${server.url()}; on_dvr ${server.url()};`)
    hooks.onHls(publisher, segment)
    hooks.onDvr(publisher, 'x.flv')
    await hooks.close(1000)
    expect(server.calls).toStrictEqual([])
  })
})

test('a recording is told (on_dvr), to who is configured now', async () => {
  const server = await hookServer()
  const { hooks, host } = setUp('enabled on;')
  hooks.onDvr(publisher, 'html/x.1.flv')
  const vhost = `http_hooks { enabled on; on_dvr ${server.url()}; }`
  host.config = configOf(`vhost __defaultVhost__ { ${vhost} }`)
  hooks.onDvr(publisher, 'html/x.2.flv')
  await heard(server, 1)
  expect(server.calls.map(({ body }) => body)).toMatchObject([
    { action: 'on_dvr', stream: 'x', param: '?token=1', cwd: process.cwd(), file: 'html/x.2.flv' },
  ])
})

test('what a process cannot tell any more it leaves to another', async () => {
  const server = await hookServer()
  server.answer = () => [503, '']
  const { hooks, sent } = setUp(`enabled on; on_dvr ${server.url()};`)
  hooks.onDvr(publisher, 'x.flv')
  await hooks.close(5000)
  const facts = { cwd: process.cwd(), file: 'x.flv' }
  expect(sent).toMatchObject([{ t: 'visit-began', visit: { action: 'on_dvr', ...publisher, facts } }])
})
