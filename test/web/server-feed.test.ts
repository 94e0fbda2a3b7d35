import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { ApiClient, ApiError, type Snapshot } from '../../web/src/console/api-client.ts'
import { basicAuthorization } from '../../web/src/console/credentials.ts'
import { type FeedState, ServerFeed } from '../../web/src/console/server-feed.ts'
import { snapshotOf } from './snapshots.ts'

const times = { retryMs: 1, pollMs: 1, pollingMs: 20 }

/** A connection's events as a test wants them: snapshots, and at last an error or the end. */
type Script = readonly (Snapshot | ApiError)[]

/** The states of a feed over an API that does what is scripted, one script for each attempt; until the last is done. */
async function statesOf(attempts: readonly Script[], polls: Script = []): Promise<FeedState[]> {
  const states: FeedState[] = []
  const left = [...attempts]
  const asked = [...polls]
  const { promise: done, resolve } = Promise.withResolvers<void>()
  const feed = new ServerFeed(
    {
      async *events() {
        const script = left.shift()
        if (script === undefined) {
          resolve()
          await new Promise(() => {})
        }
        for (const step of script ?? []) {
          if (step instanceof ApiError) throw step
          yield step
        }
      },
      async snapshot() {
        const step = asked.shift() ?? new ApiError('away', 'no answer')
        if (step instanceof ApiError) throw step
        return step
      },
    },
    (state) => states.push(state),
    times,
  )
  await Promise.race([feed.run(), done])
  feed.close()
  return states
}

const links = (states: readonly FeedState[]): string[] => states.map(({ link }) => link)
const away = new ApiError('away', 'no answer')

test('events are followed; a server that goes away is tried again until it is back', async () => {
  const [first, second] = [snapshotOf(1), snapshotOf(2)]
  const states = await statesOf([[first], [away], [away], [second]])
  expect(links(states)).toEqual(['live', 'away', 'away', 'away', 'live', 'away'])
  // What was known stays to be seen.
  expect(states.map(({ snapshot }) => snapshot?.now_ms)).toEqual([1, 1, 1, 1, 2, 2])
  expect(states[1]!.problem).not.toBe('')
  expect(states[4]!.problem).toBe('')
})

test.each([
  ['do not get through', new ApiError('silent', 'no event')],
  ['are refused', new ApiError('refused', 'the server answered 503')],
])('where events %s, the page asks, and tries them again', async (_, problem) => {
  const states = await statesOf([[problem], [snapshotOf(3)]], [snapshotOf(1), snapshotOf(2)])
  expect(links(states)).toEqual(['polling', 'polling', 'live', 'away'])
})

test('a password ends it: who has one begins anew', async () => {
  const states = await statesOf([[snapshotOf(1)], [new ApiError('login', 'a password')], [snapshotOf(2)]])
  expect(links(states)).toEqual(['live', 'away', 'login'])
})

let server: Server | null = null
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

/** The API over a real connection, answered by the test. */
async function clientOf(
  answer: (path: string, response: ServerResponse, authorization: string | undefined) => void,
  authorization: string | null = null,
): Promise<ApiClient> {
  server = createServer((request, response) =>
    answer(`${request.method} ${request.url}`, response, request.headers.authorization),
  )
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve))
  return new ApiClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, authorization)
}

test('the client reads events, sends its password, and leaves when nobody listens', async () => {
  const { promise: closed, resolve } = Promise.withResolvers<string | undefined>()
  const api = await clientOf((path, response, authorization) => {
    if (authorization === undefined) response.writeHead(401).end()
    else {
      expect(path).toBe('GET /api/v1/events')
      response.write(`retry: 1\n\nevent: snapshot\ndata: ${JSON.stringify(snapshotOf(1))}\n\n`)
      response.on('close', () => resolve(authorization))
    }
  })
  const first = async () => {
    for await (const snapshot of api.events(new AbortController().signal)) return snapshot.now_ms
    return null
  }
  await expect(first()).rejects.toMatchObject({ reason: 'login' })
  api.authorization = basicAuthorization('admin', 'gehörig')
  expect(await first()).toBe(1)
  expect(Buffer.from((await closed)!.slice('Basic '.length), 'base64').toString()).toBe('admin:gehörig')
})

test('the client tells what is gone from what was refused, and from a server that is away', async () => {
  const api = await clientOf((path, response) => {
    if (path === 'DELETE /api/v1/clients/a%2Fb') response.end('{"code":0}')
    else if (path === 'DELETE /api/v1/clients/gone') response.end('{"code":2049}')
    else if (path === 'DELETE /api/v1/streams/gone') response.end('{"code":2048}')
    else if (path === 'DELETE /api/v1/streams/odd') response.end('{"code":1}')
    else response.writeHead(503).end()
  })
  expect(await api.kick('a/b')).toBe(true)
  expect(await api.kick('gone')).toBe(false)
  expect(await api.unpublish('gone')).toBe(false)
  await expect(api.unpublish('odd')).rejects.toMatchObject({ reason: 'refused' })
  await expect(api.clients(0, 10)).rejects.toMatchObject({ reason: 'refused' })
  server!.closeAllConnections()
  await new Promise((resolve) => server!.close(resolve))
  await expect(api.kick('a')).rejects.toMatchObject({ reason: 'away' })
})
