import { once } from 'node:events'
import { get, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { AccessPipeline } from '../../../src/access/access-pipeline.ts'
import { localChecks } from '../../../src/access/local-checks.ts'
import { signedQuery } from '../../../src/access/signed-url.ts'
import { monotonicMs } from '../../../src/base/clock.ts'
import { HlsEdge } from '../../../src/http/edge/hls-edge.ts'
import { configuredUpstreams } from '../../../src/http/edge/hls-upstreams.ts'
import { configOf } from '../../support/config.ts'
import { eventually } from '../../support/eventually.ts'
import { recordingLogger } from '../../support/logger.ts'
import { HlsOrigin, listen, playlistOf } from './hls-origin.ts'

const playlist = playlistOf(7, 3)
const segment = Buffer.from('segment 7 of a show')

/** The clock stands, but for {@link pass}. */
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
})

const pass = (ms: number): void => void vi.advanceTimersByTime(ms)

/** On a busy machine a server of this process may be silent for long. */
const patient = 'hls_origin_timeout 60;'

/** An edge on a port, with these directives in its cluster section and its virtual host. */
async function edgeOf(origins: readonly string[], cluster = patient, vhost = '', edgeId = 'weir-edge') {
  const configWith = (servers: readonly string[], more: string, ofVhost: string) =>
    configOf(`http_server { enabled on; } vhost __defaultVhost__ {
      cluster { ${servers.length > 0 ? `hls_origin ${servers.join(' ')};` : ''} ${more} } ${ofVhost} }`)
  const { logger, lines } = recordingLogger()
  const config = configWith(origins, cluster, vhost)
  const access = new AccessPipeline(logger, localChecks, [])
  const edge = new HlsEdge({ logger, config, access, edgeId }, configuredUpstreams)
  onTestFinished(() => edge.close())
  const here = (response: ServerResponse): void => void response.end('here')
  let requests = 0
  const server = await listen((request, response) => {
    requests += 1
    if (!edge.answer(request, response, () => here(response))) here(response)
  })
  const ask = (path: string, init?: RequestInit): Promise<Response> => fetch(`${server.url}${path}`, init)
  const text = async (path: string): Promise<string> => (await ask(path)).text()
  const reload = (servers: readonly string[], more = '', ofVhost = vhost): void =>
    edge.reload(configWith(servers, more, ofVhost))
  return {
    edge,
    url: server.url,
    ask,
    text,
    lines,
    reload,
    get requests() {
      return requests
    },
  }
}

/** What is answered over a connection of its own. */
async function bodyOf(url: string): Promise<Buffer> {
  const [answer] = (await once(get(url, { agent: false }), 'response')) as [IncomingMessage]
  return Buffer.concat(await answer.toArray())
}

async function originOf() {
  const origin = new HlsOrigin()
  origin.files.set('/live/show.m3u8', playlist)
  origin.files.set('/live/show-7.ts', segment)
  const server = await listen(origin.handle)
  return Object.assign(origin, server)
}

describe('a crowd', () => {
  test('of a thousand that wants one segment costs its server one request', async () => {
    const origin = await originOf()
    const edge = await edgeOf([origin.url])
    const release = origin.hold()
    const bodies = Array.from({ length: 1000 }, () => bodyOf(`${edge.url}/live/show-7.ts`))
    await eventually(() => expect(edge.requests).toBe(1000))
    release()
    expect((await Promise.all(bodies)).every((body) => body.equals(segment))).toBe(true)
    expect(origin.requests).toStrictEqual(['/live/show-7.ts'])
  })

  test('that asks for a stream that is not there costs one request a second', async () => {
    const origin = await originOf()
    const { ask } = await edgeOf([origin.url])
    const crowd = async (): Promise<Set<number>> =>
      new Set(
        await Promise.all(Array.from({ length: 50 }, async () => (await ask('/live/none.m3u8')).status)),
      )
    expect(await crowd()).toStrictEqual(new Set([404]))
    expect(await crowd()).toStrictEqual(new Set([404]))
    expect(origin.requests).toHaveLength(1)
    pass(1001)
    origin.files.set('/live/none.m3u8', playlist)
    expect(await crowd()).toStrictEqual(new Set([200]))
    expect(origin.requests).toHaveLength(2)
  })

  test('whoever else is refused while too much is being fetched', async () => {
    const origin = await originOf()
    const { ask } = await edgeOf([origin.url])
    const release = origin.hold()
    const waiting = Array.from({ length: 256 }, (_, n) => ask(`/live/show-${n}.ts`))
    await eventually(() => expect(origin.requests.length).toBeGreaterThan(0))
    // Connections to the server are fewer: the rest of them waits here.
    let status = 0
    await vi.waitFor(async () => {
      const answer = await ask('/live/show-999.ts', { signal: AbortSignal.timeout(500) })
      status = answer.status
      expect(answer.headers.get('retry-after')).toBe('5')
    }, 10_000)
    expect(status).toBe(503)
    release()
    origin.files.clear()
    await Promise.all(waiting)
  })
})

describe('a playlist', () => {
  test('is passed on for a quarter of a segment, and asked for again then', async () => {
    const origin = await originOf()
    const { text } = await edgeOf([origin.url])
    expect(await text('/live/show.m3u8')).toBe(playlist)
    origin.files.set('/live/show.m3u8', playlistOf(8, 3))
    pass(999)
    expect(await text('/live/show.m3u8')).toBe(playlist)
    pass(1)
    expect(await text('/live/show.m3u8')).toBe(playlistOf(8, 3))
    expect(origin.requests).toHaveLength(2)
  })

  test('has the headers of one, and a client that has it gets no other', async () => {
    const origin = await originOf()
    const { ask } = await edgeOf([origin.url])
    const answer = await ask('/live/show.m3u8')
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'application/vnd.apple.mpegurl',
      'cache-control': 'no-cache',
      'cache-status': 'Weir; fwd=miss',
    })
    const known = { headers: { 'If-None-Match': `W/${answer.headers.get('etag')}` } }
    const again = await ask('/live/show.m3u8', known)
    expect([again.status, again.headers.get('cache-status')]).toStrictEqual([304, 'Weir; hit'])
    expect((await ask('/live/show.m3u8', { headers: { 'If-None-Match': '"x"' } })).status).toBe(200)
  })

  test('outlives its server by three target durations, and no more', async () => {
    const origin = await originOf()
    const { ask, lines } = await edgeOf([origin.url])
    await ask('/live/show.m3u8')
    await origin.close()
    pass(11_999)
    const stale = await ask('/live/show.m3u8')
    expect([stale.status, stale.headers.get('cache-status')]).toStrictEqual([200, 'Weir; fwd=stale'])
    expect(await stale.text()).toBe(playlist)
    pass(1)
    expect((await ask('/live/show.m3u8')).status).toBe(502)
    expect(lines.filter(({ code }) => code === 'HLS_UPSTREAM')).toHaveLength(1)
  })

  test('that is none is not passed on', async () => {
    const origin = await originOf()
    origin.files.set('/live/show.m3u8', '<html>')
    const { ask, lines } = await edgeOf([origin.url])
    expect((await ask('/live/show.m3u8')).status).toBe(502)
    expect(lines).toMatchObject([{ code: 'HLS_UPSTREAM', reason: 'what it sends is no playlist' }])
  })

  test('of a stream that ended is gone with it', async () => {
    const origin = await originOf()
    const { ask } = await edgeOf([origin.url])
    await ask('/live/show.m3u8')
    origin.files.clear()
    pass(1000)
    expect((await ask('/live/show.m3u8')).status).toBe(404)
  })
})

describe('a segment', () => {
  test('is kept, with the headers of one', async () => {
    const origin = await originOf()
    const { ask } = await edgeOf([origin.url])
    await ask('/live/show-7.ts')
    pass(30_000)
    const answer = await ask('/live/show-7.ts')
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'video/mp2t',
      'content-length': String(segment.length),
      'cache-control': 'public, max-age=3600',
      'cache-status': 'Weir; hit',
      'accept-ranges': 'bytes',
      age: '30',
    })
    expect(origin.requests).toHaveLength(1)
  })

  test('is had in parts, or not at all', async () => {
    const origin = await originOf()
    const { ask } = await edgeOf([origin.url])
    const part = await ask('/live/show-7.ts', { headers: { Range: 'bytes=8-' } })
    expect([part.status, await part.text(), part.headers.get('content-range')]).toStrictEqual([
      206,
      '7 of a show',
      'bytes 8-18/19',
    ])
    expect((await ask('/live/show-7.ts', { headers: { Range: 'bytes=19-' } })).status).toBe(416)
    const head = await ask('/live/show-7.ts', { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length'), await head.text()]).toStrictEqual([
      200,
      '19',
      '',
    ])
    expect((await ask('/live/show-7.ts', { method: 'POST' })).status).toBe(200)
    expect(origin.requests).toHaveLength(1)
  })

  test('is the same however its name is written, and whatever else is asked', async () => {
    const origin = await originOf()
    const { text } = await edgeOf([origin.url])
    for (const path of ['/live/show-7.ts', '/live/%73how-7.ts', '/live/show-7.ts?token=1&_=2']) {
      expect(await text(path)).toBe(segment.toString())
    }
    expect(origin.requests).toStrictEqual(['/live/show-7.ts'])
    await text('/live/show-7.ts?v=2&token=1')
    expect(origin.requests).toStrictEqual(['/live/show-7.ts', '/live/show-7.ts?v=2'])
  })

  test('gives way to others when there is no room, the longest unused first', async () => {
    const origin = await originOf()
    const large = Buffer.alloc(300_000)
    for (let n = 0; n < 4; n += 1) origin.files.set(`/live/show-${n}.ts`, large)
    const { ask, edge } = await edgeOf([origin.url], 'hls_origin_cache 1m;')
    for (const n of [0, 1, 2, 0, 3]) await (await ask(`/live/show-${n}.ts`)).bytes()
    expect(edge.facts!.bytes).toBeLessThanOrEqual(1024 * 1024)
    const before = origin.requests.length
    await ask('/live/show-0.ts')
    expect(origin.requests).toHaveLength(before)
    await ask('/live/show-1.ts')
    expect(origin.requests).toHaveLength(before + 1)
  })

  test('that is longer than what there is for it is not taken', async () => {
    const origin = await originOf()
    origin.files.set('/live/show-8.ts', Buffer.alloc(600_000))
    const { ask, edge, lines } = await edgeOf([origin.url], 'hls_origin_cache 1m;')
    expect((await ask('/live/show-8.ts')).status).toBe(503)
    expect(edge.facts!.bytes).toBe(0)
    expect(lines).toMatchObject([{ code: 'HLS_UPSTREAM' }])
    expect((await ask('/live/show-7.ts')).status).toBe(200)
  })

  test('is let go when nobody wants it any more', async () => {
    const origin = await originOf()
    const { ask, edge } = await edgeOf([origin.url])
    await ask('/live/show-7.ts')
    expect(edge.facts!.bytes).toBeGreaterThan(0)
    edge.sweep(monotonicMs() + 60_001)
    expect(edge.facts!.bytes).toBe(0)
  })

  test('of a stream that began anew with the same names is fetched anew', async () => {
    const origin = await originOf()
    const { text } = await edgeOf([origin.url])
    await text('/live/show-7.ts')
    pass(1)
    origin.files.set('/live/show.m3u8', playlistOf(20, 3))
    await text('/live/show.m3u8')
    expect(await text('/live/show-7.ts')).toBe(segment.toString())
    pass(1000)
    origin.files.set('/live/show.m3u8', playlistOf(7, 1))
    origin.files.set('/live/show-7.ts', 'another show')
    await text('/live/show.m3u8')
    expect(await text('/live/show-7.ts')).toBe('another show')
  })
})

describe('with two servers', () => {
  test('a stream stays with the one that has it, its segments too', async () => {
    const [a, b] = [await originOf(), await originOf()]
    a.files.delete('/live/show.m3u8')
    const { ask } = await edgeOf([a.url, b.url])
    for (let n = 0; n < 3; n += 1) {
      expect((await ask('/live/show.m3u8')).status).toBe(200)
      pass(1000)
    }
    await ask('/live/show-7.ts')
    expect(a.requests).toStrictEqual(['/live/show.m3u8'])
    expect(b.requests).toHaveLength(4)
  })

  test('one that died is passed over, and comes back', async () => {
    const [a, b] = [await originOf(), await originOf()]
    const { ask, edge, lines } = await edgeOf([a.url, b.url])
    await ask('/live/show.m3u8')
    await a.close()
    pass(1000)
    expect((await ask('/live/show.m3u8')).headers.get('cache-status')).toBe('Weir; fwd=miss')
    expect(b.requests).toHaveLength(1)
    edge.sweep(monotonicMs())
    const again = new HlsOrigin()
    again.files.set('/live/other.m3u8', playlist)
    await listen(again.handle, Number(new URL(a.url).port))
    await vi.waitFor(() => {
      edge.sweep(monotonicMs())
      expect(lines.map(({ msg }) => msg)).toContain('hls: a server of hls_origin answers again')
    }, 10_000)
    expect((await ask('/live/other.m3u8')).status).toBe(200)
    expect(again.asked('/live/other.m3u8')).toBe(1)
    // A stream that has moved does not move back without need.
    pass(1000)
    await ask('/live/show.m3u8')
    expect(b.asked('/live/show.m3u8')).toBe(2)
  })

  test('a stream that stands still at one goes on at the other, if it does there', async () => {
    const [a, b] = [await originOf(), await originOf()]
    const { text } = await edgeOf([a.url, b.url])
    expect(await text('/live/show.m3u8')).toBe(playlist)
    // Not for the time of a segment or two; nor where it stands still too.
    for (let n = 0; n < 12; n += 1) {
      pass(1000)
      expect(await text('/live/show.m3u8')).toBe(playlist)
    }
    expect([a.requests.length, b.requests.length]).toStrictEqual([13, 6])
    b.files.set('/live/show.m3u8', playlistOf(8, 3))
    pass(1000)
    expect(await text('/live/show.m3u8')).toBe(playlistOf(8, 3))
    a.files.set('/live/show.m3u8', playlistOf(9, 3))
    pass(1000)
    expect(await text('/live/show.m3u8')).toBe(playlistOf(8, 3))
  })

  test('it goes on there too when its numbers are others', async () => {
    const [a, b] = [await originOf(), await originOf()]
    const { text } = await edgeOf([a.url, b.url])
    await text('/live/show.m3u8')
    const numbered = (first: number): void => void b.files.set('/live/show.m3u8', playlistOf(first, 3))
    numbered(1)
    pass(9000)
    expect(await text('/live/show.m3u8')).toBe(playlist)
    numbered(2)
    pass(1000)
    expect(await text('/live/show.m3u8')).toBe(playlistOf(2, 3))
  })

  test('a playlist that is complete stays where it is', async () => {
    const [a, b] = [await originOf(), await originOf()]
    const complete = `${playlist}#EXT-X-ENDLIST\n`
    a.files.set('/live/show.m3u8', complete)
    const { text } = await edgeOf([a.url, b.url])
    await text('/live/show.m3u8')
    pass(30_000)
    expect(await text('/live/show.m3u8')).toBe(complete)
    expect(b.requests).toStrictEqual([])
  })

  test('one that is silent costs one wait', async () => {
    const accepted: unknown[] = []
    const silent = createTcpServer((socket) => void accepted.push(socket.resume())).listen(0, '127.0.0.1')
    await eventually(() => expect(silent.address()).not.toBeNull())
    const port = (silent.address() as AddressInfo).port
    onTestFinished(() => void silent.close())
    const b = await originOf()
    const { ask } = await edgeOf([`http://127.0.0.1:${port}`, b.url], 'hls_origin_timeout 1;')
    expect((await ask('/live/show.m3u8')).status).toBe(200)
    expect((await ask('/live/show-7.ts')).status).toBe(200)
    expect(accepted).toHaveLength(1)
  })

  test('one that breaks off or fails is not believed', async () => {
    const [a, b] = [await originOf(), await originOf()]
    const { ask, text } = await edgeOf([a.url, b.url])
    a.instead = (_request, response) => void response.writeHead(500).end()
    expect(await text('/live/show.m3u8')).toBe(playlist)
    a.instead = (_request, response) => {
      response.writeHead(200, { 'Content-Length': 1000 })
      response.write('half')
      setTimeout(() => response.destroy(), 10)
    }
    b.files.set('/live/x-1.ts', 'whole')
    expect(await text('/live/x-1.ts')).toBe('whole')
    expect((await ask('/live/show.m3u8')).status).toBe(200)
  })
})

describe('who may have it', () => {
  const secret = 'a-secret-of-a-test-of-an-edge'
  const auth = `auth { enabled on; play signed; secret ${secret}; }`
  const expires = Math.floor(Date.now() / 1000) + 60
  const signed = (stream = 'live/show'): string =>
    signedQuery(secret, { action: 'play', stream: `__defaultVhost__/${stream}`, expires })

  test('is checked with each file, and the playlist hands on what lets in', async () => {
    const origin = await originOf()
    const { ask } = await edgeOf([origin.url], patient, auth)
    for (const file of ['show.m3u8', 'show-7.ts']) {
      expect((await ask(`/live/${file}`)).status).toBe(401)
      expect((await ask(`/live/${file}?${signed('live/x')}`)).status).toBe(401)
      const answer = await ask(`/live/${file}?${signed()}`)
      expect(answer.status).toBe(200)
      expect(answer.headers.get('cache-control')).toMatch(/^private/)
    }
    const text = await (await ask(`/live/show.m3u8?${signed()}`)).text()
    expect(text).toContain(`show-7.ts?${signed()}\n`)
    expect(origin.requests).toStrictEqual(['/live/show.m3u8', '/live/show-7.ts'])
    expect((await ask(`/live/show/7.aac?${signed()}`)).status).toBe(404)
    expect(origin.requests).toHaveLength(2)
  })

  test('keys of encrypted segments are checked and passed on', async () => {
    const origin = await originOf()
    origin.files.set('/live/show-7.key', 'sixteen bytes...')
    const { ask } = await edgeOf([origin.url], patient, auth)
    expect((await ask('/live/show-7.key')).status).toBe(401)
    const answer = await ask(`/live/show-7.key?${signed()}`)
    expect([await answer.text(), answer.headers.get('cache-control')]).toStrictEqual([
      'sixteen bytes...',
      'private, no-cache',
    ])
  })

  test('a reload turns checks on', async () => {
    const origin = await originOf()
    const { ask, reload } = await edgeOf([origin.url])
    expect((await ask('/live/show.m3u8')).status).toBe(200)
    reload([origin.url], patient, auth)
    expect((await ask('/live/show.m3u8')).status).toBe(401)
  })
})

describe('what is asked for', () => {
  test('at the server is the virtual host that the edge is told', async () => {
    const origin = await originOf()
    origin.files.set(
      '/tv/live/show.m3u8',
      playlist
        .replaceAll('.ts', '.ts?vhost=there&a=1')
        .replaceAll('show-8.ts?vhost=there&a=1', 'show-8.ts?vhost=there'),
    )
    const { text } = await edgeOf([`${origin.url}/tv/`], 'vhost there;')
    const got = await text('/live/show.m3u8')
    expect(origin.requests).toStrictEqual(['/tv/live/show.m3u8?vhost=there'])
    expect(got).toContain('\nshow-7.ts?a=1\n')
    expect(got).toContain('\nshow-8.ts\n')
  })

  test.each([
    '/',
    '/index.html',
    '/live/show.flv',
    '/live/..%2fx.m3u8',
    '/live/.x.ts',
    `/${'a'.repeat(1100)}.ts`,
  ])('elsewhere is left to this server: %s', async (path) => {
    const origin = await originOf()
    const { text } = await edgeOf([origin.url])
    expect(await text(path)).toBe('here')
    expect(origin.requests).toStrictEqual([])
  })

  test('as a live stream is none of it', async () => {
    const origin = await originOf()
    const { text } = await edgeOf(
      [origin.url],
      '',
      'http_remux { enabled on; mount [vhost]/[app]/[stream].ts; }',
    )
    expect(await text('/live/show.ts')).toBe('here')
    expect(await text('/live/show-7.ts')).toBe(segment.toString())
  })

  test('of this server through itself is refused', async () => {
    const origin = await originOf()
    const { ask } = await edgeOf([origin.url])
    await ask('/live/show.m3u8', { headers: { 'CDN-Loop': 'other; a=1' } })
    expect(origin.headers[0]).toMatchObject({ 'cdn-loop': 'other; a=1, weir-edge' })
    expect((await ask('/live/show.m3u8', { headers: { 'CDN-Loop': 'other, weir-edge' } })).status).toBe(508)
    expect((await ask('/live/show.m3u8', { headers: { 'CDN-Loop': 'x'.repeat(2000) } })).status).toBe(508)
  })
})

test('an edge of an edge', async () => {
  const origin = await originOf()
  const parent = await edgeOf([origin.url], patient, '', 'weir-parent')
  const { text } = await edgeOf([parent.url])
  expect(await text('/live/show.m3u8')).toBe(playlist)
  expect(await text('/live/show-7.ts')).toBe(segment.toString())
  expect(origin.headers[0]).toMatchObject({ 'cdn-loop': 'weir-edge, weir-parent' })
})

test('a reload turns it on, to other servers, and off', async () => {
  const [a, b] = [await originOf(), await originOf()]
  const { text, reload, edge } = await edgeOf([])
  expect(await text('/live/show.m3u8')).toBe('here')
  reload([a.url])
  expect(await text('/live/show.m3u8')).toBe(playlist)
  reload([b.url])
  pass(1000)
  expect(await text('/live/show.m3u8')).toBe(playlist)
  expect([a.requests.length, b.requests.length]).toStrictEqual([1, 1])
  expect(edge.facts!.bytes).toBeGreaterThan(0)
  reload([])
  expect(await text('/live/show.m3u8')).toBe('here')
  expect(edge.facts).toBeNull()
})

test('what it does is counted', async () => {
  const origin = await originOf()
  const { ask, edge } = await edgeOf([origin.url])
  await Promise.all([ask('/live/show-7.ts'), ask('/live/show-7.ts')])
  await ask('/live/show-7.ts')
  await ask('/live/none.ts')
  await ask('/live/show.m3u8')
  await origin.close()
  pass(1000)
  await ask('/live/show.m3u8')
  await ask('/live/show-8.ts')
  expect(edge.facts).toMatchObject({
    files: 2,
    // A crowd costs one; what was tried in vain is a request too.
    answers: { hit: 1, miss: 3, stale: 1, absent: 1, failed: 1 },
  })
  expect(edge.facts!.fetches).toBeGreaterThanOrEqual(4)
})
