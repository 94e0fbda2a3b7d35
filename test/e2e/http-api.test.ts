import { expect, test } from 'vitest'
import { publishFile } from './support/ffmpeg.ts'
import { LivePair } from './support/live-pair.ts'
import { media } from './support/media.ts'
import { type Server, startServer, workersOf } from './support/server.ts'
import { playOnEveryWorker, TestPlayer } from './support/test-player.ts'
import { TestPublisher } from './support/test-publisher.ts'
import { until, within } from './support/until.ts'
import { HttpPlayer, WebSocketPlayer } from './support/web-player.ts'

const options = { workers: 2, httpWorkers: 1, vhost: 'http_remux { enabled on; }' }

interface Client {
  readonly id: string
  readonly type: string
  readonly [field: string]: unknown
}

interface Stream {
  readonly id: string
  readonly name: string
  readonly clients: number
  readonly send_bytes: number
  readonly [field: string]: unknown
}

async function ask<T>(server: Server, path: string, method = 'GET'): Promise<T> {
  const response = await fetch(server.httpUrl(`/api/v1/${path}`), { method })
  return (await response.json()) as T
}

async function clientsOf(server: Server): Promise<Client[]> {
  return (await ask<{ clients: Client[] }>(server, 'clients?count=1000')).clients
}

async function streamOf(server: Server, name: string): Promise<Stream | undefined> {
  const { streams } = await ask<{ streams: Stream[] }>(server, 'streams?count=1000')
  return streams.find((stream) => stream.name === name)
}

test('clients: everybody who publishes and plays, over every protocol, in whichever worker', async () => {
  const server = await startServer(options)
  const publisher = await TestPublisher.publish(server.url('one'))
  publisher.goLive()
  const players = await playOnEveryWorker(server.url('one'), 2)
  const url = server.httpUrl('/live/one.flv')
  await (await HttpPlayer.play(url)).has(20)
  await (await WebSocketPlayer.play(url)).has(20)
  const clients = await clientsOf(server)
  expect(clients.map(({ type }) => type).toSorted()).toEqual(
    ['fmle-publish', 'flv-play', 'flv-play', ...players.map(() => 'rtmp-play')].toSorted(),
  )
  const ofPublisher = clients.find(({ id }) => id === publisher.served.connectionId)
  expect(ofPublisher).toMatchObject({
    vhost: '__defaultVhost__',
    stream: (await streamOf(server, 'one'))!.id,
    url: '/live/one',
    name: 'one',
    ip: '127.0.0.1',
    tcUrl: `rtmp://127.0.0.1:${server.port}/live`,
    type: 'fmle-publish',
    protocol: 'rtmp',
    publish: true,
  })
  expect(ofPublisher!.recv_bytes).toBeGreaterThan(1000)
  const web = clients.filter(({ type }) => type === 'flv-play')
  expect(web.map(({ protocol }) => protocol).toSorted()).toEqual(['http-flv', 'ws-flv'])
  for (const client of web) {
    expect(client).toMatchObject({ publish: false, tcUrl: expect.stringMatching(/^(http|ws):.*\/live$/) })
    expect(client.send_bytes).toBeGreaterThan(1000)
  }
  const [first] = clients
  expect(await ask(server, `clients/${first!.id}`)).toMatchObject({ code: 0, client: { id: first!.id } })
  expect(await ask(server, 'clients/none')).toMatchObject({ code: 2049 })
})

test('clients come in pages, each of them once', async () => {
  const server = await startServer(options)
  await LivePair.start(server.url('one'))
  const players = await Promise.all(Array.from({ length: 23 }, () => TestPlayer.play(server.url('one'))))
  for (const player of players) await player.has(1)
  const page = (query: string) => ask<{ clients: Client[]; total: number }>(server, `clients${query}`)
  const { clients: standard, total } = await page('')
  expect([standard.length, total]).toEqual([10, 25])
  const pages = await Promise.all([0, 10, 20, 30].map((start) => page(`?start=${start}&count=10`)))
  const ids = pages.flatMap(({ clients }) => clients.map(({ id }) => id))
  expect(ids.length).toBe(25)
  expect(new Set(ids).size).toBe(25)
})

test('DELETE closes a client of any worker and any protocol, and nobody else', async () => {
  const server = await startServer(options)
  const live = await LivePair.start(server.url('one'))
  const players = await playOnEveryWorker(server.url('one'), 2)
  const url = server.httpUrl('/live/one.flv')
  const [http, ws] = [await HttpPlayer.play(url), await WebSocketPlayer.play(url)]
  await http.has(10)
  await ws.has(10)
  for (const { type, id } of await clientsOf(server)) {
    if (type === 'flv-play') expect(await ask(server, `clients/${id}`, 'DELETE')).toMatchObject({ code: 0 })
  }
  await http.ended
  expect(await ws.ended).toMatch(/^1001/)
  for (const { served, ended } of players) {
    expect(await ask(server, `clients/${served.connectionId}`, 'DELETE')).toMatchObject({ code: 0 })
    await within('the player to be closed', ended)
    await server.waitForLog({ cid: served.connectionId, msg: 'closed', code: 'CLIENT_KICKED' })
  }
  expect(await ask(server, 'clients/none', 'DELETE')).toMatchObject({ code: 2049 })
  await live.goesOn()
  const { connectionId } = live.publisher.served
  await ask(server, `clients/${connectionId}`, 'DELETE')
  await within('the publisher to be closed', live.publisher.ended)
})

test('streams: what is sent, who watches in all workers, and bytes that only grow', async () => {
  const server = await startServer({ ...options, settings: { source_linger: 60 } })
  const { publisher, player } = await LivePair.start(server.url('one'))
  const web = await HttpPlayer.play(server.httpUrl('/live/one.flv'))
  await web.has(50)
  const stream = (await streamOf(server, 'one'))!
  expect(stream).toMatchObject({
    vhost: '__defaultVhost__',
    app: 'live',
    url: '/live/one',
    clients: 3,
    players: { rtmp: 1, 'http-flv': 1 },
    publish: { active: true, cid: publisher.served.connectionId },
    video: { codec: 'H264' },
    audio: { codec: 'AAC' },
  })
  expect(stream.frames).toBeGreaterThan(20)
  expect(stream.recv_bytes).toBeGreaterThan(10_000)
  expect(stream.send_bytes).toBeGreaterThan(20_000)
  expect(await ask(server, `streams/${stream.id}`)).toMatchObject({ code: 0, stream: { id: stream.id } })
  expect(await ask(server, 'streams/vid-none')).toMatchObject({ code: 2048 })
  await player.close()
  web.close()
  await publisher.close()
  const seen: number[] = [stream.send_bytes]
  // Workers let the stream go after ten seconds, and leave their sum with the master.
  await until('the workers to let the stream go', async () => {
    seen.push((await streamOf(server, 'one'))!.send_bytes)
    const status = await server.status()
    return [...workersOf(status, 'stream'), ...workersOf(status, 'http')].every(
      ({ streams }) => streams.length === 0,
    )
  })
  seen.push((await streamOf(server, 'one'))!.send_bytes)
  expect(seen).toEqual(seen.toSorted((a, b) => a - b))
  expect(await streamOf(server, 'one')).toMatchObject({ clients: 0, publish: { active: false, cid: '' } })
})

test('a stream of a real encoder, with its codecs in full', async () => {
  const server = await startServer(options)
  publishFile(media().clip, server.url('clip'), { loop: true })
  const stream = await until('the headers of the stream', async () => {
    const found = await streamOf(server, 'clip')
    return found?.video && found.audio && found
  })
  expect(stream).toMatchObject({
    video: { codec: 'H264', profile: 'Main', width: 320, height: 180 },
    audio: { codec: 'AAC', sample_rate: 44_100, channel: 2, profile: 'LC' },
  })
})

test('while a worker hangs the API answers without its clients, and with them when it goes on', async () => {
  const server = await startServer({ ...options, vhost: `${options.vhost} publish { normal_timeout 1500; }` })
  const publisher = await TestPublisher.publish(server.url('one'))
  publisher.goLive()
  const clients = [publisher, ...(await playOnEveryWorker(server.url('one'), 2))]
  const idsOf = (wanted: typeof clients): string[] =>
    wanted.map(({ served }) => served.connectionId).toSorted()
  const listed = async (): Promise<string[]> => (await clientsOf(server)).map(({ id }) => id).toSorted()
  expect(await listed()).toEqual(idsOf(clients))
  const hanging = publisher.served.workerPid
  process.kill(hanging, 'SIGSTOP')
  try {
    // Each waits a second for it: longer than a publisher may be silent.
    for (const _ of [1, 2]) {
      expect(await listed()).toEqual(idsOf(clients.filter(({ served }) => served.workerPid !== hanging)))
    }
  } finally {
    process.kill(hanging, 'SIGCONT')
  }
  // It does not take its clients for silent: nobody has read what they sent.
  for (const client of clients) if (client instanceof TestPlayer) await client.hasMore(20)
  expect(await listed()).toEqual(idsOf(clients))
})
