import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { isApiPath } from '../../../src/http/api/api-app.ts'
import { answerExporter } from '../../../src/http/api/exporter.ts'
import { problemsOf } from '../../support/answer-schema.ts'
import { startApi } from './fake-host.ts'

describe('which paths are the API’s where it shares a port with files', () => {
  test.each(['/api', '/api/', '/api?x', '/api/v1/streams', '/metrics', '/metrics?x', '/healthz', '/readyz/'])(
    '%s',
    (url) => expect(isApiPath(url)).toBe(true),
  )
  test.each(['/', '/apidoc', '/live/api', '/metrics.html', '/metricsx', '/x?/api/', '/healthz/x'])(
    'not %s',
    (url) => expect(isApiPath(url)).toBe(false),
  )
})

/** Series by their names with labels. */
async function seriesOf(response: Response): Promise<Map<string, number>> {
  expect(response.headers.get('Content-Type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const series = lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), line.split(' ').at(-1)] as const)
  expect(new Set(series.map(([name]) => name)).size).toBe(series.length)
  return new Map(series.map(([name, value]) => [name, Number(value)]))
}

describe('/metrics', () => {
  const scrape = async (): Promise<Map<string, number>> => {
    const { request } = await startApi()
    return seriesOf(await request('/metrics'))
  }

  test('has the server, its clients, streams and processes', async () => {
    const series = await scrape()
    expect(Object.fromEntries(series)).toMatchObject({
      weir_uptime_seconds: 61.5,
      weir_connections: 3,
      weir_connections_failed_total: 3,
      weir_connections_refused_total: 2,
      weir_streams: 2,
      weir_streams_unlabelled: 0,
      'weir_clients{role="publish",protocol="rtmp"}': 1,
      'weir_clients{role="play",protocol="http-flv"}': 1,
      'weir_vhost_send_bytes_total{vhost="__defaultVhost__"}': 900,
      'weir_stream_published{stream="live/one"}': 1,
      'weir_stream_published{stream="tv.example.com/a/b/two"}': 0,
      'weir_stream_players{stream="live/one",protocol="rtmp"}': 1,
      'weir_stream_pulled{stream="live/one",upstream="rtmp://192.0.2.1:1935"}': 1,
      'weir_push_up{stream="live/one"}': 1,
      'weir_push_retries_total{stream="live/one"}': 2,
      'weir_stream_receive_bytes_total{stream="live/one"}': 1000,
      'weir_stream_hls_lost_segments_total{stream="live/one"}': 0,
      'weir_processes{role="back-source",state="silent"}': 1,
      'weir_process_cpu_seconds_total{role="stream",index="1"}': 0.3,
      'weir_hls_edge_answers_total{index="1",outcome="hit"}': 90,
      'weir_hls_edge_fetches_total{index="1"}': 6,
      'weir_hls_edge_bytes{index="1"}': 7000,
      'weir_programs{kind="transcode",state="running"}': 1,
      'weir_process_resident_memory_bytes{role="stream",index="1"}': 50_000_000,
      'weir_process_event_loop_delay_seconds{role="stream",index="1"}': 0.004,
      'weir_process_cpu_cores{role="back-source",index="all"}': 0,
    })
  })

  test('has the cluster, where there is one', async () => {
    const { request } = await startApi('cluster { registry redis; node a; advertise rtmp://a:1935; }')
    expect(Object.fromEntries(await seriesOf(await request('/metrics')))).toMatchObject({
      weir_cluster_registry_up: 1,
      weir_cluster_outages_total: 2,
      weir_cluster_accepted_alone_total: 3,
      weir_cluster_lost_streams_total: 4,
      weir_cluster_held_streams: 1,
      weir_cluster_streams: 1,
      'weir_cluster_nodes{state="alive"}': 1,
      'weir_cluster_nodes{state="dead"}': 1,
    })
    expect([...(await scrape()).keys()].filter((name) => name.includes('cluster'))).toStrictEqual([])
  })

  test('is text whatever the query says', async () => {
    const { request } = await startApi()
    expect(await (await request('/metrics?callback=f')).text()).toMatch(/^# HELP/)
  })
})

describe('the exporter', () => {
  async function start(settings: string) {
    const { host } = await startApi(settings)
    const http = createServer((request, response) => answerExporter(host, request, response))
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      http.closeAllConnections()
      http.close()
    })
    const base = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
    return { ask: (path: string, init: RequestInit = {}) => fetch(base + path, init) }
  }

  test('has SRS’s names beside Weir’s, whoever asks', async () => {
    const { ask } = await start('http_api { auth { enabled on; tokens t; } } exporter { enabled on; }')
    const series = await seriesOf(await ask('/metrics'))
    expect(Object.fromEntries(series)).toMatchObject({
      srs_cpu_percent: 25,
      srs_memory: 48_828,
      srs_send_bytes_total: 900,
      srs_receive_bytes_total: 1100,
      srs_streams: 2,
      srs_clients: 3,
      srs_clients_total: 9,
      srs_clients_errs_total: 3,
      weir_streams: 2,
    })
    expect(
      [...series.keys()].some((name) =>
        /^srs_build_info\{server="srv",service="svc12345",pid="77",/.test(name),
      ),
    ).toBe(true)
  })

  test('puts label and tag on all of them', async () => {
    const { ask } = await start('exporter { enabled on; label cn-beijing; tag "cn \\"edge"; }')
    const series = [...(await seriesOf(await ask('/metrics'))).keys()]
    for (const name of series) expect(name).toContain('label="cn-beijing",tag="cn \\"edge"')
    expect(series.length).toBeGreaterThan(20)
  })

  test('serves nothing else', async () => {
    const { ask } = await start('exporter { enabled on; }')
    const statuses = ['/', '/api/v1/clients', '/metrics/x'].map(async (path) => (await ask(path)).status)
    expect(await Promise.all(statuses)).toEqual([404, 404, 404])
    expect((await ask('/metrics', { method: 'DELETE' })).status).toBe(405)
    const head = await ask('/metrics', { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
  })
})

describe('probes', () => {
  test('a server that takes clients is well and ready', async () => {
    const { request } = await startApi()
    for (const path of ['/healthz', '/readyz']) {
      const response = await request(path)
      const answer = await response.json()
      expect([response.status, answer]).toEqual([200, { status: 'ok' }])
      expect(problemsOf(path, 'get', answer)).toEqual([])
    }
  })

  test('a worker that leaves is alive and not ready', async () => {
    const { request, host } = await startApi()
    host.leaving = true
    expect((await request('/healthz')).status).toBe(200)
    const response = await request('/readyz')
    const answer = await response.json()
    expect([response.status, answer]).toMatchObject([503, { status: 'unavailable' }])
    expect(problemsOf('/readyz', 'get', answer)).toEqual([])
  })

  test('without a stream worker that answers the server is not ready', async () => {
    const { request, silence } = await startApi()
    silence()
    expect((await request('/readyz')).status).toBe(503)
  })
})
