import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { version } from '../../src/base/version.ts'
import { RtmpClient } from '../../src/client/rtmp-client.ts'
import { run } from './support/command.ts'
import { LivePair } from './support/live-pair.ts'
import { startServer, weirBinary } from './support/server.ts'
import { until } from './support/until.ts'

interface Beat {
  readonly device_id: string
  readonly ip: string
  readonly summaries?: {
    readonly data: { readonly ok: boolean; readonly self: { readonly version: string } }
  }
}

test('heartbeats without HTTP, and a bandwidth check beside a stream; a reload ends both', async () => {
  const beats: Beat[] = []
  const registry = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    beats.push(JSON.parse(Buffer.concat(chunks).toString()) as Beat)
    response.end('0')
  }).listen(0, '127.0.0.1')
  onTestFinished(() => {
    registry.closeAllConnections()
    registry.close()
  })
  await once(registry, 'listening')
  const url = `http://127.0.0.1:${(registry.address() as AddressInfo).port}/`
  const heartbeat = `heartbeat { enabled on; interval 0.5; url ${url}; device_id me; summaries on; }`
  const server = await startServer({
    workers: 2,
    vhost: 'bandcheck { enabled on; key K; interval 60; limit_kbps 20000; }',
    more: heartbeat,
  })
  const live = await LivePair.start(server.url('one'))
  const check = (key: string) =>
    run(weirBinary, ['bandwidth', '--json', `rtmp://127.0.0.1:${server.port}/live?key=${key}`])

  const measured = await check('K')
  expect(measured.stderr).toBe('')
  const { down, up } = JSON.parse(measured.stdout) as Record<'down' | 'up', { kbps: number; ms: number }>
  for (const { kbps, ms } of [down, up]) {
    expect(ms).toBeGreaterThanOrEqual(3000)
    expect(kbps).toBeGreaterThan(1000)
    expect(kbps).toBeLessThan(22_000)
  }
  const refused = await Promise.all([check('K'), check('wrong')])
  expect(refused.map(({ status }) => status)).toEqual([1, 1])
  expect(refused[0].stderr).toContain(
    'NetConnection.Connect.Rejected: here a bandwidth check may begin every 60 s',
  )
  expect(refused[1].stderr).toContain('the key of the bandwidth check is wrong')
  await server.waitForLog({ code: 'BANDWIDTH_KEY' })
  await live.goesOn()

  const beat = await until('a heartbeat with summaries', () =>
    beats.find(({ summaries }) => summaries?.data.ok),
  )
  expect(beat).toMatchObject({ device_id: 'me', summaries: { data: { self: { version } } } })
  server.configure({ workers: 2 })
  await server.reload()
  await server.waitForStatus(
    'the end of the HTTP worker',
    ({ workers }) => !workers.some(({ role }) => role === 'http'),
  )
  // Who gives the key is a client like any other now, however soon.
  const client = await RtmpClient.connect(`rtmp://127.0.0.1:${server.port}/live?key=K/x`)
  client.close()
  await live.goesOn()
})
