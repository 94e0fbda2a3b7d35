import { describe, expect, test } from 'vitest'
import type { Answer, ClientInfo } from '../../src/ipc/contract.ts'
import type { EncodedList } from '../../src/ipc/encoded-list.ts'
import { answerAboutClients, type BookedClient, type ClientBook } from '../../src/worker/client-book.ts'
import { ClientListWriter, entriesJson } from '../../src/worker/client-json.ts'
import { ClientRates, type Counted } from '../../src/worker/client-rates.ts'
import type { WorkQuestion } from '../../src/worker/worker-process.ts'

const someone: Counted<ClientInfo> = {
  ...{ id: '', vhost: 'tv.example', app: 'live', stream: 'News', ip: '10.0.0.7', pageUrl: '', swfUrl: '' },
  ...{ tcUrl: '', type: 'rtmp-play', protocol: 'rtmp', publish: false, aliveSeconds: 1.23456 },
  ...{ sendBytes: 0, recvBytes: 0 },
}

/** A worker with clients of these roles, named in their order: c0, c1 … */
function setUp(roles: readonly BookedClient['role'][]) {
  const kicked: string[] = []
  const clients = roles.map((role, index): BookedClient => {
    const id = `c${index}`
    const bytes = { sendBytes: 1000, recvBytes: 10 }
    return {
      id,
      role,
      ...bytes,
      describe: () => ({ ...someone, id, ...bytes, publish: role === 'publish' }),
      kick: () => kicked.push(id),
    }
  })
  const book: ClientBook = {
    clients: new Map(clients.map((client) => [client.id, client])),
    streams: () => ['a/b/c', 'a/b/d', 'a/b/c'],
    audience: (streams) => streams.map((stream) => ({ stream, publishers: 1, players: {}, sendBytes: 2 })),
    sent: () => [],
    traffic: () => [{ vhost: 'a', publishers: 1, players: {}, streams: 0, sendBytes: 2, recvBytes: 3 }],
    rates: new ClientRates(0),
  }
  return { kicked, ask: (question: WorkQuestion) => answerAboutClients(question, book) }
}

/** Entries of a list, all of them if no others are named. */
function parsed(list: EncodedList, from = 0, to = list.shares.length): object[] {
  return JSON.parse(`[${entriesJson(list, from, to)}]`) as object[]
}

/** The ids in an answer, and the total. */
function listed(answer: Answer | null): [string[], number] | null {
  if (answer?.of !== 'clients') return null
  const clients = parsed(answer.clients) as { id: string }[]
  return [clients.map(({ id }) => id), answer.total]
}

describe('the clients', () => {
  test('come in pages; who does nothing yet is none', () => {
    const { ask } = setUp(['play', null, 'publish', 'play', 'play'])
    const page = (start: number, count: number, search = '') =>
      listed(ask({ ask: 'clients', start, count, search }))
    expect(page(0, 10)).toStrictEqual([['c0', 'c2', 'c3', 'c4'], 4])
    expect(page(1, 2)).toStrictEqual([['c2', 'c3'], 4])
    expect(page(3, 2)).toStrictEqual([['c4'], 4])
    expect(page(0, 0)).toStrictEqual([[], 4])
    expect(page(4, 5)).toStrictEqual([[], 4])
  })

  test('are looked for in what names them: the total is of those that are found', () => {
    const { ask } = setUp(['play', null, 'publish', 'play', 'play'])
    const found = (search: string, start = 0, count = 10) =>
      listed(ask({ ask: 'clients', start, count, search }))
    for (const search of ['live/news', '10.0.0', 'tv.example/live', 'rtmp-play', 'c']) {
      expect(found(search)?.[1]).toBe(4)
    }
    expect(found('c3')).toStrictEqual([['c3'], 1])
    expect(found('news', 1, 2)).toStrictEqual([['c2', 'c3'], 4])
    expect(found('rtmp c3 10.0')).toStrictEqual([['c3'], 1])
    expect(found('rtmp nobody')).toStrictEqual([[], 0])
  })

  test('are told as SRS tells them, with what a name may hold escaped; what they have alike is there once', () => {
    const odd = { ...someone, id: 'odd', stream: 'ä"\\\u2028', tcUrl: 'a\nb', sendBytes: 5, recvBytes: 6 }
    const other = { ...odd, tcUrl: 'a', pageUrl: 'b' }
    const writer = new ClientListWriter()
    for (const client of [someone, odd, someone, other, odd]) writer.add(client, { sendKbps: 3, recvKbps: 4 })
    const list = writer.end()
    const told = parsed(list)
    expect(told[1]).toStrictEqual({
      ...{ id: 'odd', vhost: 'tv.example', stream: expect.stringMatching(/^vid-/), ip: '10.0.0.7' },
      ...{ pageUrl: '', swfUrl: '', tcUrl: 'a\nb', url: 'tv.example/live/ä"\\\u2028', name: 'ä"\\\u2028' },
      ...{ type: 'rtmp-play', publish: false, alive: 1.235, send_bytes: 5, recv_bytes: 6 },
      ...{ kbps: { recv_30s: 4, send_30s: 3 }, protocol: 'rtmp' },
    })
    expect(told[3]).toMatchObject({ tcUrl: 'a', pageUrl: 'b' })
    expect(told[4]).toStrictEqual(told[1])
    expect([told.length, list.shared.length]).toStrictEqual([5, 3])
    expect([parsed(list, 1, 2), parsed(list, 3, 5)]).toStrictEqual([[told[1]], told.slice(3)])
    expect([parsed(list, 2, 2), parsed(new ClientListWriter().end())]).toStrictEqual([[], []])
  })

  test('come no more than a thousand at once', () => {
    const { ask } = setUp(Array(1500).fill('play'))
    const [ids, total] = listed(ask({ ask: 'clients', start: 100, count: 1e9, search: '' }))!
    expect([ids.length, ids[0], total]).toStrictEqual([1000, 'c100', 1500])
  })

  test('are found by their id', () => {
    const { ask } = setUp(['play', null])
    expect(listed(ask({ ask: 'client', id: 'c0' }))).toStrictEqual([['c0'], 1])
    expect(listed(ask({ ask: 'client', id: 'c1' }))).toStrictEqual([[], 0])
    expect(listed(ask({ ask: 'client', id: 'none' }))).toStrictEqual([[], 0])
  })

  test('are kicked by their id, and nobody else', () => {
    const { ask, kicked } = setUp(['play', 'play', null])
    expect(ask({ ask: 'kick', id: 'c1' })).toStrictEqual({ of: 'kick', kicked: true })
    expect(ask({ ask: 'kick', id: 'c2' })).toStrictEqual({ of: 'kick', kicked: false })
    expect(ask({ ask: 'kick', id: 'none' })).toStrictEqual({ of: 'kick', kicked: false })
    expect(kicked).toStrictEqual(['c1'])
  })
})

test('the audience and the traffic are what the worker says', () => {
  const { ask } = setUp([])
  expect(ask({ ask: 'audience', streams: ['a/b/c'] })).toStrictEqual({
    of: 'audience',
    audience: [{ stream: 'a/b/c', publishers: 1, players: {}, sendBytes: 2, sendKbps: expect.any(Number) }],
  })
  expect(ask({ ask: 'audience', streams: null })).toMatchObject({
    audience: [{ stream: 'a/b/c' }, { stream: 'a/b/d' }],
  })
  expect(ask({ ask: 'traffic' })).toMatchObject({
    of: 'traffic',
    traffic: [{ vhost: 'a', sendKbps: expect.any(Number) }],
  })
})

test('questions about streams are for others', () => {
  const { ask } = setUp([])
  expect(ask({ ask: 'streams', start: 0, count: 1 })).toBeNull()
  expect(ask({ ask: 'stream', tag: 'vid-1' })).toBeNull()
})
