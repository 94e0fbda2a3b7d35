import { expect, test } from 'vitest'
import { type HookServer, hookServer } from '../support/hook-server.ts'
import { gapsIn } from './support/played.ts'
import { backSourcesOf, type Server, type ServerOptions, startServer, workersOf } from './support/server.ts'
import { playOnEveryWorker, TestPlayer } from './support/test-player.ts'
import { TestPublisher } from './support/test-publisher.ts'
import { until, within } from './support/until.ts'

/** What ends what was asked about. */
const endOf: Readonly<Record<string, string>> = {
  on_connect: 'on_close',
  on_publish: 'on_unpublish',
  on_play: 'on_stop',
}

/** Two stream workers and an HTTP worker, with hooks for every event. */
function options(server: HookServer, http_hooks: 'on' | 'off'): ServerOptions {
  const asked = ['on_connect', 'on_publish', 'on_play', 'on_close', 'on_unpublish', 'on_stop', 'on_hls']
  const urls = asked.map((event) => `${event} ${server.url(`/${event}?key=1`)};`)
  return {
    workers: 2,
    httpWorkers: 1,
    vhost: `publish { policy replace; } http_remux { enabled on; }
      hls { enabled on; hls_path ./html; hls_fragment 1; }
      http_hooks { enabled ${http_hooks}; hook_timeout 2s; hook_retry 2; hook_secret s3cret; ${urls.join(' ')} }`,
  }
}

/** Refuses whoever has the wrong token; counts what was accepted. */
function answer(server: HookServer): void {
  server.answer = ({ body }) => (body.param === '?token=bad' ? '{"code":1}' : '{"code":0}')
}

/** The calls of one event about a client, at any of the servers. */
function times(servers: readonly HookServer[], event: string, client: string): number {
  return servers
    .flatMap(({ calls }) => calls)
    .filter(({ body, url }) => {
      expect(url).toBe(`/${String(body.action)}?key=1`)
      return body.action === event && body.client_id === client
    }).length
}

/** Waits until the end of each of these clients was told, in all that they were asked about. */
async function allEnded(servers: readonly HookServer[], clients: readonly string[]): Promise<void> {
  await until(`the ends of ${clients.join(', ')}`, () =>
    clients.every((client) =>
      Object.entries(endOf).every(([begin, end]) => {
        return times(servers, end, client) >= times(servers, begin, client)
      }),
    ),
  )
}

/** @returns what was told less or more than once of these clients; the begin of each was asked about once */
function unbalanced(servers: readonly HookServer[], clients: readonly string[]): string[] {
  return clients.flatMap((client) =>
    Object.entries(endOf)
      .map(([begin, end]) => [times(servers, begin, client), times(servers, end, client), begin] as const)
      .filter(([begins, ends]) => begins !== ends || begins > 1)
      .map(([begins, ends, begin]) => `${client}: ${begins} ${begin}, ${ends} ${endOf[begin]}`),
  )
}

/** A viewer over HTTP that has its first bytes. */
async function httpViewer(server: Server, query = '') {
  const abort = new AbortController()
  const response = await fetch(server.httpUrl(`/live/one.flv${query}`), { signal: abort.signal })
  const reader = response.body!.getReader()
  if (response.status === 200) await reader.read()
  return { status: response.status, leave: () => abort.abort() }
}

/** The client that a server heard of last. */
function lastClient(hooks: HookServer, event: string): string {
  return String(hooks.calls.findLast(({ body }) => body.action === event)?.body.client_id)
}

const ids = (...clients: { served: { connectionId: string } }[]): string[] =>
  clients.map(({ served }) => served.connectionId)

test('whoever was let in has one end, whatever dies, and hooks come and go with the configuration', async () => {
  const [hooks, other] = [await hookServer(), await hookServer()]
  const both = [hooks, other]
  for (const server of both) answer(server)
  const server = await startServer(options(hooks, 'off'))

  // Enabled while a stream runs: who is there is not asked about, and notices nothing.
  const old = await TestPublisher.publish(server.url('old'))
  old.goLive()
  const oldPlayer = await TestPlayer.play(server.url('old'))
  await oldPlayer.has(10)
  expect(hooks.calls).toStrictEqual([])
  server.configure(options(hooks, 'on'))
  await server.reload()
  await oldPlayer.hasMore(20)
  expect(hooks.calls.filter(({ body }) => body.action !== 'on_hls')).toStrictEqual([])

  // Asked, and let in or not.
  const publisher = await TestPublisher.publish(server.url('one?token=good'))
  publisher.goLive()
  const players = await playOnEveryWorker(server.url('one'), 2)
  for (const player of players) await player.has(10)
  const viewer = await httpViewer(server)
  const viewerId = lastClient(hooks, 'on_play')
  await expect(TestPublisher.publish(server.url('one?token=bad'))).rejects.toThrow(/code 1/)
  const refused = lastClient(hooks, 'on_publish')
  await expect(TestPlayer.play(server.url('one?token=bad'))).rejects.toThrow(/code 1/)
  expect((await httpViewer(server, '?token=bad')).status).toBe(403)
  await players[0]!.hasMore(10)
  expect(publisher.client.closed).toBe(false)
  await until('the end of the refused connection', () => times(both, 'on_close', refused) === 1)
  expect(times(both, 'on_unpublish', refused)).toBe(0)
  const segment = await until('on_hls', () =>
    hooks.calls.find(({ body }) => body.action === 'on_hls' && body.stream === 'one'),
  )
  expect(segment.body).toMatchObject({ client_id: ids(publisher)[0], param: '?token=good', ip: '127.0.0.1' })
  expect(segment.headers['x-weir-signature']).toMatch(/^sha256=[0-9a-f]{64}$/)
  const metrics = await (await fetch(server.httpUrl('/metrics'))).text()
  expect(metrics).toMatch(/^weir_hook_calls_total\{event="on_publish",outcome="refused"\} 1$/m)

  // Kicked.
  const [kicked] = players as [TestPlayer, ...TestPlayer[]]
  await fetch(server.httpUrl(`/api/v1/clients/${kicked.served.connectionId}`), { method: 'DELETE' })
  await within('the player to be kicked', kicked.ended)
  await allEnded(both, ids(kicked))

  // The back-source dies: its clients stay, and nobody is told anything.
  const watcher = players.find((player) => player !== kicked)!
  const [holder] = backSourcesOf(await server.status(), 'one')
  const before = hooks.actions().filter((action) => action !== 'on_hls')
  process.kill(holder!.pid, 'SIGKILL')
  await server.waitForLog({ msg: 'a back-source died' })
  await watcher.hasMore(20)
  expect(hooks.actions().filter((action) => action !== 'on_hls')).toStrictEqual(before)

  // The URL changes while clients are there: their ends go to where it says now.
  server.configure(options(other, 'on'))
  await server.reload()

  // A stream worker dies with a publisher and players, then the HTTP worker with a viewer.
  const dead = publisher.served.workerPid
  const onDead = players.filter(({ served, client }) => served.workerPid === dead && !client.closed)
  process.kill(dead, 'SIGKILL')
  await within('the publisher to be closed', publisher.ended)
  await allEnded(both, ids(publisher, ...onDead))
  expect(times([other], 'on_unpublish', ids(publisher)[0]!)).toBe(1)
  process.kill(workersOf(await server.status(), 'http')[0]!.pid, 'SIGKILL')
  await allEnded(both, [viewerId])
  viewer.leave()

  // Disabled: nobody is asked or told.
  const again = await TestPublisher.publish(server.url('one'))
  again.goLive()
  const leaver = await TestPlayer.play(server.url('one'))
  await leaver.has(10)
  server.configure(options(other, 'off'))
  await server.reload()
  const quiet = both.map(({ calls }) => calls.length)
  await leaver.close()
  const unasked = await TestPlayer.play(server.url('one'))
  await unasked.has(10)
  expect(both.map(({ calls }) => calls.length)).toStrictEqual(quiet)

  // A worker that was told to drain ends with its last client, and tells of it.
  server.configure(options(hooks, 'on'))
  await server.reload()
  const last = await playOnEveryWorker(server.url('one'), 2)
  const drained = last.find(({ served }) => served.workerPid !== again.served.workerPid)!
  for (const player of last) await player.has(10)
  process.kill(drained.served.workerPid, 'SIGTERM')
  await server.waitForLog(({ msg, pid }) => msg.startsWith('draining') && pid === drained.served.workerPid)
  const onDrained = last.filter(({ served }) => served.workerPid === drained.served.workerPid)
  for (const player of onDrained) await player.close()
  await allEnded(both, ids(...onDrained))

  // The server stops: what is still there ends.
  await server.stop()
  const there = ids(publisher, kicked, ...players, again, ...last)
  expect(unbalanced(both, [...there, viewerId])).toStrictEqual([])
  for (const client of ids(old, oldPlayer, unasked)) {
    for (const event of [...Object.keys(endOf), ...Object.values(endOf)]) {
      expect(times(both, event, client)).toBe(0)
    }
  }
  expect(gapsIn(oldPlayer.packets, old.sent)).toStrictEqual([])

  // A graceful stop ends who stays longer than it waits, and tells of each.
  server.change({ grace_start_wait: 0, grace_final_wait: 500 })
  await server.start()
  const stays = await publishAndPlay(server)
  server.master.signal('SIGQUIT')
  await server.hasEnded()
  expect(unbalanced(both, ids(...stays))).toStrictEqual([])
  expect(times(both, 'on_stop', stays[1].served.connectionId)).toBe(1)

  // One that hangs holds up no stop; the log says what it was not told.
  await server.start()
  const untold = await publishAndPlay(server)
  hooks.answer = () => () => {}
  await server.stop()
  expect(times(both, 'on_unpublish', untold[0].served.connectionId)).toBe(1)
  await server.waitForLog(({ level, code }) => level === 'warn' && String(code).startsWith('HOOK'))
})

async function publishAndPlay(server: Server): Promise<[TestPublisher, TestPlayer]> {
  const publisher = await TestPublisher.publish(server.url('one'))
  publisher.goLive()
  const player = await TestPlayer.play(server.url('one'))
  await player.has(10)
  return [publisher, player]
}
