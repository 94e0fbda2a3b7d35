import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ownAddress, ownAddresses } from '../../src/base/own-address.ts'
import { Heartbeat } from '../../src/http/heartbeat.ts'
import { configOf } from '../support/config.ts'
import { eventually } from '../support/eventually.ts'
import { recordingLogger } from '../support/logger.ts'

/** A server that takes heartbeats; `answer` may leave one without an answer. */
async function registry(answer: (response: ServerResponse) => void = (response) => response.end('0')) {
  const beats: Record<string, unknown>[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    beats.push({
      ...(JSON.parse(Buffer.concat(chunks).toString()) as object),
      asked: `${request.method} ${request.url} ${request.headers['content-type']}`,
    })
    answer(response)
  }).listen(0, '127.0.0.1')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  return { beats, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/servers?secret=1` }
}

function setUp(text: string) {
  const { logger, lines } = recordingLogger()
  const host = {
    config: configOf(text),
    logger,
    ip: '192.0.2.1',
    summaries: async () => ({ ok: true, self: { version: '1' } }),
  }
  const heartbeat = new Heartbeat(host)
  onTestFinished(() => heartbeat.close())
  heartbeat.apply()
  const reload = (changed: string): void => {
    host.config = configOf(changed)
    heartbeat.apply()
  }
  return { heartbeat, lines, reload }
}

describe('a heartbeat', () => {
  test('is posted at once and then at each interval, as SRS posts it', async () => {
    const { beats, url } = await registry()
    setUp(`heartbeat { enabled on; interval 0.1; url ${url}; device_id mine; }`)
    await eventually(() => expect(beats.length).toBeGreaterThan(2))
    const asked = 'POST /api/v1/servers?secret=1 application/json'
    expect(beats[0]).toStrictEqual({ device_id: 'mine', ip: '192.0.2.1', asked })
  })

  test('has the summaries and the ports, if they are wanted', async () => {
    const { beats, url } = await registry()
    setUp(
      `http_api { enabled on; listen 127.0.0.1:1985; } heartbeat { enabled on; url ${url}; summaries on; ports on; }`,
    )
    await eventually(() => expect(beats).toHaveLength(1))
    expect(beats[0]).toMatchObject({
      summaries: { data: { ok: true, self: { version: '1' } } },
      rtmp: ['1935'],
      api: ['127.0.0.1:1985'],
    })
    expect(beats[0]).not.toHaveProperty('http')
  })

  test('is not sent unless it is enabled; a reload begins it, changes it and ends it', async () => {
    const { beats, url } = await registry()
    const { reload } = setUp(`heartbeat { interval 0.1; url ${url}; }`)
    const on = (interval: number, deviceId: string): void =>
      reload(`heartbeat { enabled on; interval ${interval}; url ${url}; device_id ${deviceId}; }`)
    on(0.1, 'a')
    await eventually(() => expect(beats.at(-1)).toMatchObject({ device_id: 'a' }))
    on(0.1, 'b')
    await eventually(() => expect(beats.at(-1)).toMatchObject({ device_id: 'b' }))
    on(3600, 'c')
    await eventually(() => expect(beats.at(-1)).toMatchObject({ device_id: 'c' }))
    reload('')
    const sent = beats.length
    on(3600, 'd')
    await eventually(() => expect(beats.at(-1)).toMatchObject({ device_id: 'd' }))
    expect(beats).toHaveLength(sent + 1)
  })
})

describe('a server that fails', () => {
  test('is told of in one line, and again when it takes heartbeats', async () => {
    let isUp = false
    const { beats, url } = await registry((response) => response.writeHead(isUp ? 200 : 503).end('0'))
    const { lines } = setUp(`heartbeat { enabled on; interval 0.1; url ${url}; }`)
    await eventually(() => expect(beats.length).toBeGreaterThan(3))
    isUp = true
    await eventually(() => expect(lines.at(-1)?.msg).toBe('heartbeat: it arrives again'))
    expect(lines).toMatchObject([
      { level: 40, code: 'HEARTBEAT', reason: 'the answer has status 503', url: url.replace(/\?.*/, '') },
      { failures: expect.any(Number) },
    ])
  })

  test('by not answering gets one request at a time', async () => {
    const open: ServerResponse[] = []
    const { beats, url } = await registry((response) => open.push(response))
    const { heartbeat, lines } = setUp(`heartbeat { enabled on; interval 0.1; url ${url}; }`)
    await eventually(() => expect(beats).toHaveLength(1))
    await new Promise((resolve) => setTimeout(resolve, 350))
    expect(beats).toHaveLength(1)
    open[0]!.end('0')
    await eventually(() => expect(beats).toHaveLength(2))
    heartbeat.close()
    await eventually(() => expect(open[1]!.destroyed).toBe(true))
    expect(lines).toStrictEqual([])
  })

  test('is not there', async () => {
    const { lines } = setUp('heartbeat { enabled on; url http://127.0.0.1:1/; }')
    await eventually(() => expect(lines).toMatchObject([{ reason: expect.stringContaining('ECONNREFUSED') }]))
  })
})

test('the address of the machine is that of stats { network }, or the first', () => {
  const own = ownAddresses()
  expect(ownAddress(0)).toBe(own[0] ?? '')
  expect(ownAddress(250)).toBe(own[0] ?? '')
})
