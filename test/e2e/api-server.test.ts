import { get, type IncomingMessage } from 'node:http'
import { setInterval } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { paths } from '../../src/http/api/schema/paths.ts'
import type { Totals } from '../../src/http/api/schema/server.ts'
import { problemsOf } from '../support/answer-schema.ts'
import { LivePair } from './support/live-pair.ts'
import { backSourcesOf, type Server, startServer, workersOf } from './support/server.ts'
import { playOnEveryWorker, TestPlayer } from './support/test-player.ts'
import { TestPublisher } from './support/test-publisher.ts'
import { until, within } from './support/until.ts'
import { HttpPlayer, WebSocketPlayer } from './support/web-player.ts'

/** How often somebody asks while clients come and go, in milliseconds: as a few consoles do. */
const askMs = 100

const options = { workers: 2, httpWorkers: 1, vhost: 'http_remux { enabled on; }' }

async function ask<T>(server: Server, path: string, method = 'GET'): Promise<T> {
  return (await fetch(server.httpUrl(path), { method })).json() as Promise<T>
}

interface Counts {
  readonly clients: string[]
  readonly total: number
  readonly ofStream: number
  readonly ofVhost: number
  readonly summary: number
}

/** How many clients there are, wherever the API tells it. */
async function counts(server: Server): Promise<Counts> {
  const [list, { streams }, { vhosts }, { data }] = await Promise.all([
    ask<{ clients: { id: string }[]; total: number }>(server, '/api/v1/clients?count=1000'),
    ask<{ streams: { name: string; clients: number }[] }>(server, '/api/v1/streams?count=1000'),
    ask<{ vhosts: { clients: number }[] }>(server, '/api/v1/vhosts'),
    ask<{ data: { system: { conn_srs: number } } }>(server, '/api/v1/summaries'),
  ])
  return {
    clients: list.clients.map(({ id }) => id),
    total: list.total,
    ofStream: streams.find(({ name }) => name === 'one')?.clients ?? 0,
    ofVhost: vhosts.reduce((sum, { clients }) => sum + clients, 0),
    summary: data.system.conn_srs,
  }
}

/** A listener of the events. */
async function listen(server: Server) {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(server.httpUrl('/api/v1/events'), { agent: false }, resolve).on('error', reject)
  })
  onTestFinished(() => {
    response.destroy()
  })
  let text = ''
  response.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  const snapshots = () =>
    [...text.matchAll(/^data: (.*)\n\n/gm)].map(([, json]) => JSON.parse(json!) as Record<string, unknown>)
  return { response, snapshots }
}

test('counts are the real number of connections while clients of all kinds come and go', async () => {
  const server = await startServer(options)
  const publisher = await TestPublisher.publish(server.url('one'))
  publisher.goLive()
  const events = await listen(server)
  const url = server.httpUrl('/live/one.flv')
  const web: (HttpPlayer | WebSocketPlayer)[] = []
  const players: TestPlayer[] = [...(await playOnEveryWorker(server.url('one'), 2))]
  let changing = true
  const expected = (): number => 1 + players.length + web.length
  const rtmpIds = (): string[] => [publisher, ...players].map(({ served }) => served.connectionId)
  const areRight = async (): Promise<boolean> => {
    const now = await counts(server)
    const numbers = [now.clients.length, now.total, now.ofStream, now.ofVhost, now.summary]
    return (
      numbers.every((number) => number === expected()) && rtmpIds().every((id) => now.clients.includes(id))
    )
  }
  // Meanwhile somebody asks all the time: nobody is ever listed twice, or without being there.
  const watched = (async () => {
    const known = new Set<string>()
    for await (const _tick of setInterval(askMs)) {
      if (!changing) break
      const { clients } = await ask<{ clients: { id: string }[] }>(server, '/api/v1/clients?count=1000')
      const ids = clients.map(({ id }) => id)
      expect(new Set(ids).size).toBe(ids.length)
      for (const id of ids) known.add(id)
    }
    return known
  })()
  try {
    for (let round = 0; round < 4; round += 1) {
      const came = await Promise.all([1, 2, 3].map(() => TestPlayer.play(server.url('one'))))
      players.push(...came)
      web.push(await HttpPlayer.play(url), await WebSocketPlayer.play(url))
      for (const viewer of web) await viewer.has(1)
      await until(`${expected()} clients in every count`, areRight)
      await Promise.all(players.splice(0, 2).map((player) => player.close()))
      web.shift()?.close()
      await until(`${expected()} clients in every count, after some left`, areRight)
    }
    await until('an event with the same', () => {
      const { totals } = events.snapshots().at(-1) as { totals: Totals }
      const ofWeb = Object.entries(totals.players).filter(([protocol]) => protocol !== 'rtmp')
      const webPlayers = ofWeb.reduce((sum, [, number]) => sum + number, 0)
      const isSame = totals.players.rtmp === players.length && webPlayers === web.length
      return isSame && totals.clients === expected()
    })
  } finally {
    changing = false
  }
  const seen = await watched
  for (const id of rtmpIds()) expect(seen).toContain(id)
  for (const snapshot of events.snapshots()) expect(problemsOf('/api/v1/events', 'get', snapshot)).toEqual([])
})

test('every answer is as it is documented; a process that hangs is named; a stream can be taken away', async () => {
  const server = await startServer({
    ...options,
    vhost: `${options.vhost} hls { enabled on; hls_path ./html; }`,
  })
  const { publisher, player } = await LivePair.start(server.url('one'))
  const other = await LivePair.start(server.url('two'))
  const { id } = await until('the stream', async () => {
    type Streams = { streams: { id: string; name: string; video: unknown }[] }
    const { streams } = await ask<Streams>(server, '/api/v1/streams')
    return streams.find(({ name, video }) => name === 'one' && video !== null)
  })
  await allAnswersAreDocumented(server, {
    ...{ streams: id, vhosts: '__defaultVhost__', clients: publisher.served.connectionId },
  })
  await processesAreTold(server)
  const path = `/api/v1/streams/${id}`
  expect(await ask(server, path, 'DELETE')).toMatchObject({ code: 0 })
  await within('the publisher to be closed', publisher.ended)
  await until('the stream to be without publisher', async () => {
    const { stream } = await ask<{ stream: { clients: number; publish: object } }>(server, path)
    return stream.clients === 1 && isDeepStrictEqual(stream.publish, { active: false, cid: '' })
  })
  expect(await ask(server, path, 'DELETE')).toMatchObject({ code: 2048 })
  const again = await TestPublisher.publish(server.url('one'))
  again.goLive()
  await player.hasMore(20)
  expect(await ask(server, path)).toMatchObject({
    stream: { id, publish: { active: true, cid: again.served.connectionId } },
  })
  await other.goesOn()
  await bytesStayWhenProcessesDie(server, player.served.workerPid, path)
})

/** What has been told of bytes is never less later, though who counted them is gone. */
async function bytesStayWhenProcessesDie(server: Server, pid: number, streamPath: string): Promise<void> {
  const bytes = async () => {
    const [{ vhosts }, { stream }] = await Promise.all([
      ask<{ vhosts: { send_bytes: number; recv_bytes: number }[] }>(server, '/api/v1/vhosts'),
      ask<{ stream: { send_bytes: number; recv_bytes: number; frames: number } }>(server, streamPath),
    ])
    const { send_bytes, recv_bytes, frames } = stream
    return [vhosts[0]!.send_bytes, vhosts[0]!.recv_bytes, send_bytes, recv_bytes, frames]
  }
  const before = await bytes()
  expect(Math.min(...before)).toBeGreaterThan(0)
  const [backSource] = backSourcesOf(await server.status(), 'one')
  process.kill(backSource!.pid, 'SIGKILL')
  await server.waitForLog(
    ({ msg, stream, pid: at }) =>
      msg === 'source: publisher attached' && stream === 'live/one' && at !== backSource!.pid,
  )
  // The publisher may be in this one.
  process.kill(pid, 'SIGKILL')
  await server.waitForLog({ msg: 'a worker died and is replaced', level: 'error' })
  const after = await bytes()
  for (const [index, told] of before.entries()) expect(after[index]).toBeGreaterThanOrEqual(told)
  const metrics = await (await fetch(server.httpUrl('/metrics'))).text()
  expect(metrics).toMatch(/^weir_connections_failed_total [1-9]\d*$/m)
}

async function allAnswersAreDocumented(server: Server, ids: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, item] of Object.entries(paths)) {
    if (item.get === undefined || item.get.type !== undefined) continue
    const answer = await ask(server, path.replace('{id}', ids[path.split('/')[3]!] ?? ''))
    expect(problemsOf(path, 'get', answer), path).toEqual([])
  }
  const metrics = await (await fetch(server.httpUrl('/metrics'))).text()
  expect(metrics).toMatch(/^weir_stream_players\{stream="live\/one",protocol="rtmp"\} 1$/m)
}

async function processesAreTold(server: Server): Promise<void> {
  type Workers = { workers: { role: string; pid: number; state: string }[] }
  // What is told of processes may be two seconds old.
  const { workers } = await until('every process in the list', async () => {
    const answer = await ask<Workers>(server, '/api/v1/workers')
    const living = server.processes().map(({ pid }) => pid)
    const isWhole = isDeepStrictEqual(answer.workers.map(({ pid }) => pid).toSorted(), living.toSorted())
    return isWhole && answer
  })
  expect(workers[0]).toMatchObject({ role: 'master', pid: server.master.pid, state: 'running' })
  const hanging = workersOf(await server.status(), 'stream')[0]!.pid
  process.kill(hanging, 'SIGSTOP')
  try {
    // A busy machine may hold up the answer of another process too.
    const named = await until('the process that hangs to be named', async () => {
      const { workers: now } = await ask<Workers>(server, '/api/v1/workers')
      return now.find(({ pid, state }) => pid === hanging && state !== 'running')
    })
    expect(named).toMatchObject({ role: 'stream', state: 'silent' })
  } finally {
    process.kill(hanging, 'SIGCONT')
  }
}

test('a reload over HTTP applies what changed, a password too, or says why it does not', async () => {
  const server = await startServer(options)
  const live = await LivePair.start(server.url('one'))
  const events = await listen(server)
  await until('an event', () => events.snapshots().length > 0)
  expect(await ask(server, '/api/v1/reload')).toMatchObject({ code: 405 })
  server.writeConfig(`listen ${server.port};\nmax_conections 5;\n`)
  expect(await ask(server, '/api/v1/reload', 'POST')).toMatchObject({
    ...{ code: 422, applied: false },
    error: { code: 'CONFIG_UNKNOWN_DIRECTIVE', message: expect.stringContaining(`${server.configFile}:2:1`) },
  })
  const section = `enabled on; listen ${server.httpPort};`
  const auth = 'auth { enabled on; username admin; password x; tokens t1; }'
  server.configure({
    workers: 2,
    settings: { max_connections: 77, runtime_dir: './other' },
    more: `http_server { ${section} } http_api { ${section} ${auth} }`,
  })
  const applied = await ask(server, '/api/v1/reload', 'POST')
  expect(problemsOf('/api/v1/reload', 'post', applied)).toEqual([])
  expect(applied).toMatchObject({
    ...{ code: 0, applied: true, at_next_start: ['runtimeDir'] },
    changes: { global: expect.arrayContaining(['maxConnections', 'httpApi.auth.enabled']) },
  })
  await until('the password to be asked for', async () => {
    return (await fetch(server.httpUrl('/api/v1/clients'))).status === 401
  })
  await server.waitForLog({ role: 'http', code: 'API_DENIED', ip: '127.0.0.1' })
  const headers = { Authorization: 'Bearer t1' }
  const answer = await fetch(server.httpUrl('/api/v1/clients'), { headers })
  expect(await answer.json()).toMatchObject({ code: 0, total: 2 })
  expect(await server.status()).toMatchObject({ maxConnections: 77 })
  await live.goesOn()
  // Who listens to events does not hold up the end of the server.
  const ended = new Promise<void>((resolve) => events.response.once('close', resolve))
  await server.stop()
  await within('the events to end', ended)
})
