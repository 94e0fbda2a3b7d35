import { describe, expect, test } from 'vitest'
import { asScript, isCallback } from '../../../src/http/api/jsonp.ts'
import { player, startApi } from './fake-host.ts'

describe('the name of a callback', () => {
  test.each(['f', 'JSON_CALLBACK', 'angular.callbacks._0', '$', 'jQuery110_123', 'a.b.c', 'x'.repeat(128)])(
    '%s',
    (name) => expect(isCallback(name)).toBe(true),
  )

  test.each([
    '',
    '1a',
    'a()',
    'alert(1)//',
    'a b',
    'a[0]',
    '.a',
    'a.',
    'a..b',
    'ä',
    'a;b',
    '<a>',
    'x'.repeat(129),
  ])('is not %j', (name) => expect(isCallback(name)).toBe(false))
})

test('a script is the call of the callback with the JSON; what old browsers take for the end of a line is escaped', () => {
  expect(asScript('f', '{"a":"\u2028\u2029"}')).toBe('f({"a":"\\u2028\\u2029"})')
})

describe('an answer with a callback', () => {
  test('is a script', async () => {
    const { request } = await startApi()
    const { headers, ...response } = await request('/api/v1/versions?callback=angular.callbacks._0').then(
      async (answer) => ({ headers: answer.headers, status: answer.status, text: await answer.text() }),
    )
    expect(response.status).toBe(200)
    expect(headers.get('Content-Type')).toBe('text/javascript; charset=utf-8')
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff')
    const [, json] = /^angular\.callbacks\._0\((.*)\)$/.exec(response.text)!
    expect(JSON.parse(json!)).toMatchObject({ code: 0, data: { version: expect.any(String) } })
    expect(headers.get('Content-Length')).toBe(String(response.text.length))
  })

  test('is refused when the callback is no name of a function, and does not repeat it', async () => {
    const { request } = await startApi()
    const response = await request(`/api/v1/versions?callback=${encodeURIComponent('alert(1)//')}`)
    expect(response.status).toBe(400)
    expect(response.headers.get('Content-Type')).toBe('application/json; charset=utf-8')
    expect(await response.json()).toEqual({ code: 400, server: 'srv', service: 'svc12345', pid: '77' })
  })

  test('is not for pages of other sites with crossdomain off', async () => {
    const { request } = await startApi('http_api { crossdomain off; }')
    const status = async (site: string) =>
      (await request('/api/v1/versions?callback=f', { headers: { 'Sec-Fetch-Site': site } })).status
    expect([await status('cross-site'), await status('same-site'), await status('same-origin')]).toEqual([
      403, 403, 200,
    ])
    expect((await request('/api/v1/versions?callback=f')).status).toBe(200)
  })
})

/** What SRS's console asks for, and what its views read of the answer. */
const consoleReads: readonly (readonly [path: string, fields: readonly string[]])[] = [
  ['/api/v1/versions', ['data.version']],
  [
    '/api/v1/summaries',
    [
      ...['data.ok', 'data.now_ms', 'data.self.version', 'data.self.srs_uptime', 'data.self.cpu_percent'],
      ...['data.self.mem_percent', 'data.self.mem_kbyte', 'data.self.pid', 'data.self.ppid'],
      ...['cpus', 'cpus_online', 'cpu_percent', 'uptime', 'mem_ram_kbyte', 'mem_ram_percent'].map(ofSystem),
      ...['load_1m', 'load_5m', 'load_15m', 'conn_srs', 'conn_sys', 'conn_sys_et'].map(ofSystem),
      ...['conn_sys_tw', 'conn_sys_udp', 'disk_busy_percent', 'disk_read_KBps'].map(ofSystem),
      ...['disk_write_KBps', 'net_sample_time', 'net_recv_bytes', 'net_send_bytes'].map(ofSystem),
      ...['net_recvi_bytes', 'net_sendi_bytes', 'srs_sample_time', 'srs_recv_bytes'].map(ofSystem),
      ofSystem('srs_send_bytes'),
    ],
  ],
  [
    '/api/v1/vhosts/',
    [
      ...['vhosts.0.id', 'vhosts.0.name', 'vhosts.0.enabled', 'vhosts.0.streams', 'vhosts.0.clients'],
      ...['vhosts.0.kbps.recv_30s', 'vhosts.0.kbps.send_30s', 'vhosts.0.hls.enabled'],
    ],
  ],
  [
    '/api/v1/streams/',
    [
      ...['id', 'name', 'url', 'tcUrl', 'app', 'vhost', 'clients', 'publish.active', 'publish.cid'].map(
        ofStream,
      ),
      ...['kbps.recv_30s', 'kbps.send_30s', 'video.codec', 'video.profile', 'video.level'].map(ofStream),
      ...['video.width', 'video.height', 'audio.codec', 'audio.sample_rate', 'audio.channel'].map(ofStream),
      ofStream('audio.profile'),
    ],
  ],
  [
    '/api/v1/clients/',
    ['id', 'ip', 'vhost', 'stream', 'publish', 'alive', 'url', 'tcUrl', 'name', 'type'].map(ofClient),
  ],
  [`/api/v1/clients/${player.id}`, ['client.id', 'client.tcUrl', 'client.pageUrl', 'client.swfUrl']],
  ['/api/v1/raw', ['code']],
]

function ofSystem(field: string): string {
  return `data.system.${field}`
}

function ofStream(field: string): string {
  return `streams.0.${field}`
}

function ofClient(field: string): string {
  return `clients.0.${field}`
}

test('whatever SRS’s console reads is there', async () => {
  const { request } = await startApi()
  for (const [path, fields] of consoleReads) {
    const text = await (await request(`${path}?callback=f`)).text()
    const answer = JSON.parse(text.slice('f('.length, -1)) as object
    for (const field of fields) expect(answer, path).toHaveProperty(field, expect.anything())
  }
})

test('what SRS’s console does: it reads by JSONP, joins streams to virtual hosts by id, and kicks by GET', async () => {
  const { request, asked } = await startApi('http_api { allow_method_param on; }')
  let call = 0
  const jsonp = async (path: string) => {
    const name = `angular.callbacks._${(call++).toString(36)}`
    const response = await request(`${path}${path.includes('?') ? '&' : '?'}callback=${name}`)
    const text = await response.text()
    expect([response.status, text.slice(0, name.length + 1), text.at(-1)]).toEqual([200, `${name}(`, ')'])
    return JSON.parse(text.slice(name.length + 1, -1)) as Record<string, unknown>
  }
  const { data } = await jsonp('/api/v1/versions')
  expect(data).toMatchObject({ version: expect.any(String) })
  const summaries = (await jsonp('/api/v1/summaries')).data as { self: object; system: object }
  expect(summaries.self).toMatchObject({ srs_uptime: 61, mem_kbyte: expect.any(Number) })
  const raw = await jsonp('/api/v1/raw?rpc=raw')
  expect(raw).toMatchObject({ http_api: { enabled: false, raw_api: { enabled: false } } })
  expect(await jsonp('/api/v1/raw?rpc=query&scope=minimal')).not.toHaveProperty('minimal')
  const vhosts = (await jsonp('/api/v1/vhosts')).vhosts as { id: string; name: string }[]
  const [stream] = (await jsonp('/api/v1/streams')).streams as { id: string; vhost: string }[]
  expect(vhosts.find(({ id }) => id === stream!.vhost)?.name).toBe('__defaultVhost__')
  expect(await jsonp(`/api/v1/vhosts/${stream!.vhost}`)).toMatchObject({
    vhost: { name: '__defaultVhost__' },
  })
  const { client } = await jsonp(`/api/v1/clients/${player.id}`)
  expect(client).toMatchObject({ stream: stream!.id, vhost: stream!.vhost })
  expect(await jsonp(`/api/v1/streams/${stream!.id}`)).toMatchObject({ stream: { name: 'one' } })
  asked.length = 0
  expect(await jsonp(`/api/v1/clients/${player.id}?method=DELETE`)).toMatchObject({ code: 0 })
  expect(asked).toEqual([{ ask: 'kick', id: player.id }])
})
