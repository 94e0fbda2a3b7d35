import { describe, expect, test } from 'vitest'
import { isApiPath } from '../../../src/http/api/api-app.ts'
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

describe('/metrics', () => {
  /** Series by their names with labels. */
  async function scrape(): Promise<Map<string, number>> {
    const { request } = await startApi()
    const response = await request('/metrics')
    expect(response.headers.get('Content-Type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    const series = lines.map(
      (line) => [line.slice(0, line.lastIndexOf(' ')), line.split(' ').at(-1)] as const,
    )
    expect(new Set(series.map(([name]) => name)).size).toBe(series.length)
    return new Map(series.map(([name, value]) => [name, Number(value)]))
  }

  test('has the server, its clients, streams and processes', async () => {
    const series = await scrape()
    expect(Object.fromEntries(series)).toMatchObject({
      weir_uptime_seconds: 61.5,
      weir_connections: 3,
      weir_connections_refused_total: 2,
      weir_streams: 2,
      weir_streams_unlabelled: 0,
      'weir_clients{role="publish",protocol="rtmp"}': 1,
      'weir_clients{role="play",protocol="http-flv"}': 1,
      'weir_vhost_send_bytes_total{vhost="__defaultVhost__"}': 900,
      'weir_stream_published{stream="live/one"}': 1,
      'weir_stream_published{stream="tv.example.com/a/b/two"}': 0,
      'weir_stream_players{stream="live/one",protocol="rtmp"}': 1,
      'weir_stream_receive_bytes_total{stream="live/one"}': 1000,
      'weir_stream_hls_lost_segments_total{stream="live/one"}': 0,
      'weir_processes{role="back-source",state="silent"}': 1,
      'weir_process_cpu_seconds_total{role="stream",index="1"}': 0.3,
      'weir_programs{kind="transcode",state="running"}': 1,
      'weir_process_resident_memory_bytes{role="stream",index="1"}': 50_000_000,
      'weir_process_event_loop_delay_seconds{role="stream",index="1"}': 0.004,
      'weir_process_cpu_cores{role="back-source",index="all"}': 0,
    })
  })

  test('is text whatever the query says', async () => {
    const { request } = await startApi()
    expect(await (await request('/metrics?callback=f')).text()).toMatch(/^# HELP/)
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
