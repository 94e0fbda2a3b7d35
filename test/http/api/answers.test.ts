import { describe, expect, test } from 'vitest'
import { isActedOn } from '../../../src/config/schema/declare.ts'
import { configuration } from '../../../src/config/schema/global.ts'
import { vhost } from '../../../src/config/schema/vhost.ts'
import { features } from '../../../src/http/api/features.ts'
import { streamData } from '../../../src/http/api/lists.ts'
import { paths } from '../../../src/http/api/schema/paths.ts'
import { streamTag } from '../../../src/live/stream-key.ts'
import { problemsOf } from '../../support/answer-schema.ts'
import { info, player, startApi, streamName } from './fake-host.ts'

const tag = streamTag(streamName)
const ids: Record<string, string> = { streams: tag, clients: player.id, vhosts: '__defaultVhost__' }

/** A path with an id that is there. */
function filled(path: string): string {
  return path.replace('{id}', ids[path.split('/')[3]!] ?? '')
}

const operations = Object.entries(paths).flatMap(([path, item]) =>
  (Object.keys(item) as (keyof typeof item)[]).map((method) => ({ path, method })),
)

describe('every answer is as it is documented', () => {
  const ofApi = operations.filter(({ path }) => path.startsWith('/api') && !paths[path]!.get?.type)
  test.each(ofApi)('$method $path, with and without a trailing slash', async ({ path, method }) => {
    const { request } = await startApi()
    for (const slash of ['', '/']) {
      const response = await request(`${filled(path)}${slash}?rpc=raw`, { method: method.toUpperCase() })
      expect(response.status).toBe(200)
      expect(response.headers.get('Content-Type')).toBe('application/json; charset=utf-8')
      expect(response.headers.get('Cache-Control')).toBe('no-store')
      const answer = (await response.json()) as { code: number }
      expect(problemsOf(path, method, answer)).toEqual([])
      expect(answer).toMatchObject({ server: 'srv', service: 'svc12345', pid: '77' })
      expect(answer.code).toBe(path.endsWith('errors') ? 100 : 0)
    }
  })
})

describe('as SRS has it', () => {
  const get = async (path: string) => (await (await startApi()).request(`/api/v1/${path}`)).json()

  test('a stream', async () => {
    const { stream } = (await get(`streams/${tag}`)) as { stream: object }
    expect(stream).toMatchObject({
      ...{ id: tag, name: 'one', vhost: '__defaultVhost__', app: 'live', url: '/live/one', clients: 2 },
      tcUrl: 'rtmp://192.0.2.9:1936/live',
      ...{ frames: 25, send_bytes: 9, recv_bytes: 1000, kbps: { recv_30s: 8, send_30s: 7 } },
      publish: { active: true, cid: 'pub00001' },
      video: { codec: 'H264', profile: 'Main', level: '3.1', width: 1280, height: 720 },
      audio: { codec: 'AAC', sample_rate: 44_100, channel: 2, profile: 'LC' },
      ...{ publish_ms: 1235, players: { rtmp: 1 } },
    })
  })

  test('a stream of which little is known, of another virtual host', async () => {
    const { streams, total } = (await get('streams')) as { streams: object[]; total: number }
    expect(total).toBe(2)
    expect(streams[1]).toMatchObject({
      ...{ vhost: 'tv.example.com', app: 'a/b', name: 'two', url: 'tv.example.com/a/b/two' },
      tcUrl: 'rtmp://tv.example.com/a/b',
      publish: { active: false, cid: '' },
      video: { codec: 'AV1', profile: 'Other', level: 'Other', width: 0, height: 0 },
      ...{ audio: null, hls: null },
    })
  })

  test.each([
    ['rtmp://h/live', 'tv.example.com', 'rtmp://h/live?vhost=tv.example.com'],
    ['rtmp://tv.example.com:1936/live?vhost=x', 'tv.example.com', 'rtmp://tv.example.com:1936/live'],
    ['rtmps://[::1]:443/live...vhost...x', '__defaultVhost__', 'rtmps://[::1]:443/live'],
    ['rtmp://user:secret@h/live', '__defaultVhost__', 'rtmp://h/live'],
    ['rtmp://h:secret', '__defaultVhost__', 'rtmp://__defaultVhost__/live'],
    ['http://h/live.flv', '__defaultVhost__', 'rtmp://__defaultVhost__/live'],
  ])('the address of a stream that was published at %s in %s is %s', (tcUrl, vhost, expected) => {
    const stream = { ...info, stream: `${vhost}/live/one`, tcUrl }
    expect(streamData({ ...stream, clients: 0, players: {}, sendBytes: 0, sendKbps: 0 }).tcUrl).toBe(expected)
  })

  // All that the pages of SRS's console read.
  test.each([
    ['versions', 'data.version'],
    ['summaries', 'data.ok data.now_ms data.self.version data.self.pid data.self.ppid data.self.srs_uptime'],
    ['summaries', 'data.self.cpu_percent data.self.mem_percent data.self.mem_kbyte data.system.conn_srs'],
    ['summaries', 'data.system.cpus data.system.cpus_online data.system.cpu_percent data.system.uptime'],
    ['summaries', 'data.system.mem_ram_kbyte data.system.mem_ram_percent data.system.disk_busy_percent'],
    ['summaries', 'data.system.disk_read_KBps data.system.disk_write_KBps data.system.net_sample_time'],
    ['summaries', 'data.system.net_recv_bytes data.system.net_send_bytes data.system.net_recvi_bytes'],
    ['summaries', 'data.system.net_sendi_bytes data.system.srs_sample_time data.system.srs_recv_bytes'],
    ['summaries', 'data.system.srs_send_bytes data.system.load_1m data.system.load_5m data.system.load_15m'],
    [
      'summaries',
      'data.system.conn_sys data.system.conn_sys_et data.system.conn_sys_tw data.system.conn_sys_udp',
    ],
    ['vhosts/', 'vhosts.0.id vhosts.0.name vhosts.0.enabled vhosts.0.streams vhosts.0.clients'],
    ['vhosts/', 'vhosts.0.kbps.recv_30s vhosts.0.kbps.send_30s vhosts.0.hls.enabled'],
    ['streams/', 'streams.0.id streams.0.name streams.0.vhost streams.0.app streams.0.url streams.0.tcUrl'],
    ['streams/', 'streams.0.publish.active streams.0.publish.cid streams.0.clients streams.0.kbps.recv_30s'],
    ['streams/', 'streams.0.video.codec streams.0.video.profile streams.0.video.level streams.0.video.width'],
    [
      'streams/',
      'streams.0.audio.codec streams.0.audio.sample_rate streams.0.audio.channel streams.0.audio.profile',
    ],
    [
      'clients/',
      'clients.0.id clients.0.ip clients.0.vhost clients.0.stream clients.0.publish clients.0.alive',
    ],
    [
      'clients/',
      'clients.0.url clients.0.name clients.0.tcUrl clients.0.type clients.0.pageUrl clients.0.swfUrl',
    ],
    ['raw?rpc=raw', 'http_api.enabled http_api.listen http_api.crossdomain http_api.raw_api.enabled'],
  ])('%s has %s', async (path, fields) => {
    const answer = (await get(path)) as Record<string, unknown>
    for (const field of fields.split(' ')) {
      const value = field
        .split('.')
        .reduce<unknown>((of, name) => (of as Record<string, unknown>)?.[name], answer)
      expect(value, field).toBeDefined()
      expect(value, field).not.toBeNull()
    }
  })

  test('a client: its stream and virtual host are the ids of those', async () => {
    const { clients } = (await get('clients')) as { clients: object[] }
    expect(clients).toMatchObject([
      { id: player.id, stream: tag, vhost: '__defaultVhost__', url: '/live/one', name: 'one', alive: 12.346 },
    ])
  })

  test('a virtual host, also one without clients, or one that is off', async () => {
    const { request } = await startApi(
      'vhost __defaultVhost__ { } vhost b { enabled off; hls { enabled on; } }',
    )
    const { vhosts } = (await (await request('/api/v1/vhosts')).json()) as { vhosts: object[] }
    expect(vhosts).toMatchObject([
      { id: '__defaultVhost__', enabled: true, clients: 3, streams: 1, hls: { enabled: false } },
      { id: 'b', enabled: false, clients: 0, streams: 0, hls: { enabled: true, fragment: 10 } },
    ])
  })

  test.each([
    ['streams/vid-none', 2048],
    ['vhosts/none', 2048],
    ['clients/none', 2049],
    ['tests/errors', 100],
    ['raw?rpc=query', 1061],
  ])('%s has the code %i', async (path, code) => {
    expect(await get(path)).toEqual({ code, server: 'srv', service: 'svc12345', pid: '77' })
  })

  test('a redirect', async () => {
    const { request } = await startApi()
    const { status, headers } = await request('/api/v1/tests/redirects')
    expect([status, headers.get('Location')]).toEqual([301, '/api/v1/tests/errors'])
  })
})

describe('methods', () => {
  test('HEAD is GET without a body, OPTIONS tells what there is, and anything else is a 405', async () => {
    const { request, asked } = await startApi()
    const head = await request('/api/v1/clients', { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    const options = await request(`/api/v1/clients/${player.id}`, { method: 'OPTIONS' })
    expect([options.status, options.headers.get('Allow')]).toEqual([204, 'GET, HEAD, DELETE, OPTIONS'])
    asked.length = 0
    for (const method of ['PUT', 'POST', 'PATCH']) {
      const refused = await request(`/api/v1/clients/${player.id}`, { method, body: '{"a":1}' })
      expect([refused.status, refused.headers.get('Allow')]).toEqual([405, 'GET, HEAD, DELETE, OPTIONS'])
      expect(await refused.json()).toMatchObject({ code: 405 })
    }
    expect(asked).toEqual([])
  })

  test('what is not there is a 404 in an envelope', async () => {
    const { request } = await startApi()
    const response = await request('/api/v1/none')
    expect([response.status, await response.json()]).toMatchObject([404, { code: 404, server: 'srv' }])
  })

  test('DELETE kicks a client and unpublishes a stream; who did it is in the log', async () => {
    const { request, lines } = await startApi()
    const remove = async (path: string) => (await request(`/api/v1/${path}`, { method: 'DELETE' })).json()
    expect(await remove(`clients/${player.id}`)).toMatchObject({ code: 0 })
    expect(await remove('clients/none')).toMatchObject({ code: 2049 })
    expect(await remove(`streams/${tag}`)).toMatchObject({ code: 0 })
    expect(await remove('streams/none')).toMatchObject({ code: 2048 })
    expect(lines.filter(({ msg }) => String(msg).startsWith('api: '))).toMatchObject([
      { id: player.id, ip: '127.0.0.1' },
      { id: tag, ip: '127.0.0.1' },
    ])
  })

  test('a GET with ?method=DELETE changes nothing', async () => {
    const { request, asked } = await startApi()
    const response = await request(`/api/v1/clients/${player.id}?method=DELETE`)
    expect([response.status, await response.json()]).toMatchObject([405, { code: 405 }])
    expect(asked).toEqual([])
  })

  test('and kicks where allow_method_param is on, also as JSONP', async () => {
    const { request, asked } = await startApi('http_api { allow_method_param on; }')
    const path = `/api/v1/clients/${player.id}?callback=angular.callbacks._3&method=DELETE`
    expect(await (await request(path)).text()).toMatch(/^angular\.callbacks\._3\(\{"code":0,/)
    expect(asked).toEqual([{ ask: 'kick', id: player.id }])
    expect((await request('/api/v1/clients?method=BREW')).status).toBe(405)
  })
})

test('a reload that is refused says why, and that nothing has changed', async () => {
  const { request } = await startApi('', { applied: false, code: 'CONFIG_SYNTAX', message: 'x.conf:1: no' })
  const response = await request('/api/v1/reload', { method: 'POST' })
  expect(response.status).toBe(422)
  const answer = await response.json()
  expect(problemsOf('/api/v1/reload', 'post', answer)).toEqual([])
  expect(answer).toMatchObject({
    ...{ code: 422, applied: false },
    error: { code: 'CONFIG_SYNTAX', message: 'x.conf:1: no' },
  })
})

test('what a page of requests shows holds no password', async () => {
  const { request } = await startApi()
  const headers = { Authorization: 'Basic c2VjcmV0OnNlY3JldA==', Cookie: 'a=b', 'X-Mine': 'shown' }
  const { data } = (await (await request('/api/v1/requests', { headers })).json()) as {
    data: { headers: Record<string, string> }
  }
  expect(Object.keys(data.headers)).not.toContain('authorization')
  expect(Object.keys(data.headers)).not.toContain('cookie')
  expect(data.headers['x-mine']).toBe('shown')
})

test('the features are those that the configuration acts on', () => {
  const { httpHooks, dvr, transcode, ingest, hls, hds } = vhost.entries
  expect(features).toMatchObject({
    ssl: isActedOn(configuration.entries.rtmps),
    callback: isActedOn(httpHooks),
    dvr: isActedOn(dvr),
    transcode: isActedOn(transcode),
    ingest: isActedOn(ingest),
    hls: isActedOn(hls),
    hds: isActedOn(hds),
    caster: isActedOn(configuration.entries.streamCaster),
  })
})

test('the cluster is told with its nodes, and where each stream is', async () => {
  const { request } = await startApi('cluster { registry redis; node a; advertise rtmp://a:1935; }')
  const { cluster } = (await (await request('/api/v1/cluster')).json()) as { cluster: unknown }
  expect(cluster).toEqual({
    ...{ registry: 'redis', node: 'a', connected: true, held: 1, outages: 2, accepted_alone: 3, lost: 4 },
    nodes: [
      {
        ...{ node: 'a', rtmp: 'rtmp://a:1935', http: '', version: '0.1.0', server: 's', streams: 1 },
        ...{ uptime: 5, age: 0.5, alive: true },
      },
      expect.objectContaining({ node: 'b', age: 7, alive: false }),
    ],
    streams: [
      {
        ...{ id: streamTag(streamName), name: 'one', vhost: '__defaultVhost__', app: 'live' },
        ...{ node: 'a', rtmp: 'rtmp://a:1935' },
      },
    ],
    total: 1,
  })
})

test('programs are told with the id of their stream', async () => {
  const { request } = await startApi()
  const { programs } = (await (await request('/api/v1/programs')).json()) as { programs: unknown[] }
  expect(programs).toEqual([
    {
      ...{ kind: 'transcode', name: 'live sd', vhost: '__defaultVhost__', stream: streamTag(streamName) },
      ...{ state: 'running', pid: 4711, restarts: 2, uptime: 1.5 },
      last_error: 'exit status 1: no such codec',
    },
  ])
})
