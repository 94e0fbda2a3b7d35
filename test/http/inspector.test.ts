import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Inspector } from '../../src/http/inspector.ts'
import { encodeAnswer } from '../../src/ipc/answer-codec.ts'
import type {
  Answer,
  EncodedAnswer,
  Protocols,
  Question,
  ServerFacts,
  StreamInfo,
  ToMaster,
  WorkerAnswer,
} from '../../src/ipc/contract.ts'
import type { EncodedList } from '../../src/ipc/encoded-list.ts'
import { streamTag } from '../../src/live/stream-key.ts'
import { pageOf } from '../../src/worker/client-book.ts'

afterEach(() => {
  vi.useRealTimers()
})

type Inquiry = Extract<ToMaster, { t: 'inquire' }>

const server = { pid: 1 } as ServerFacts

/** An inspector, and a master that has each of some processes answer. */
function setUp(processes: readonly ((question: Question) => Answer | null)[]) {
  const inquiries: Inquiry[] = []
  const inspector: Inspector = new Inspector((message) => {
    const inquiry = message as Inquiry
    inquiries.push(inquiry)
    const answers = processes
      .map((answerTo, index): WorkerAnswer<EncodedAnswer> => {
        const answer = answerTo(inquiry.question)
        return { role: 'stream', index, pid: index, ready: true, answer: answer && encodeAnswer(answer) }
      })
      .filter(({ pid }) => inquiry.pids === null || inquiry.pids.includes(pid))
    setImmediate(() => inspector.onMessage({ t: 'report', inquiry: inquiry.inquiry, server, answers }))
  })
  return { inspector, inquiries }
}

/** A list whose entries are these texts. */
function listOf(entries: readonly string[]): EncodedList {
  return { own: Buffer.from(entries.join('\n')), shared: [Buffer.from('!')], shares: entries.map(() => 0) }
}

/** The entries in parts of such lists. */
function entriesOf(parts: readonly Buffer[]): string[] {
  return parts.flatMap((part) => part.toString().replaceAll('!', '').split(','))
}

/** A process with clients of these ids. */
function withClients(ids: readonly string[]): (question: Question) => Answer | null {
  return (question) => {
    if (question.ask === 'clients') {
      return {
        of: 'clients',
        clients: listOf(pageOf(ids, question.start, question.count)),
        total: ids.length,
      }
    }
    if (question.ask === 'client') {
      const found = ids.filter((id) => id === question.id)
      return { of: 'clients', clients: listOf(found), total: found.length }
    }
    return question.ask === 'kick' ? { of: 'kick', kicked: ids.includes(question.id) } : null
  }
}

const silent = () => null

describe('a page of clients', () => {
  test('is that part of all lists, one behind the other, wherever it lies', async () => {
    const lengths = fc.array(fc.oneof(fc.nat(5), fc.nat(2500)), { maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(lengths, fc.nat(4000), fc.nat(1200), async (counts, start, count) => {
        const lists = counts.map((length, index) =>
          Array.from({ length }, (_, number) => `${index}-${number}`),
        )
        const { inspector } = setUp(lists.map(withClients))
        const { items, total } = await inspector.clients(start, count, '')
        const all = lists.flat()
        expect(total).toBe(all.length)
        expect(entriesOf(items)).toStrictEqual(all.slice(start, start + Math.min(count, 1000)))
      }),
      { numRuns: 60 },
    )
  })

  test('at the beginning costs one inquiry, far behind it one more for each process that has a part', async () => {
    const many = Array.from({ length: 3000 }, (_, index) => String(index))
    const { inspector, inquiries } = setUp([withClients(many), withClients(many), withClients([])])
    await inspector.clients(0, 10, '')
    expect(inquiries.length).toBe(1)
    await inspector.clients(2990, 20, '')
    expect(inquiries.slice(1).map(({ question, pids }) => [question, pids])).toStrictEqual([
      [{ ask: 'clients', start: 0, count: 0, search: '' }, null],
      [{ ask: 'clients', start: 2990, count: 10, search: '' }, [0]],
      [{ ask: 'clients', start: 0, count: 10, search: '' }, [1]],
    ])
  })

  test('leaves out a process that does not answer', async () => {
    const { inspector } = setUp([withClients(['a']), silent, withClients(['b'])])
    const { items, total } = await inspector.clients(0, 10, '')
    expect([entriesOf(items), total]).toStrictEqual([['a', 'b'], 2])
  })
})

describe('a client', () => {
  test('is found in whichever process has it', async () => {
    const { inspector } = setUp([withClients(['a']), silent, withClients(['b'])])
    expect(String(await inspector.client('b'))).toBe('b!')
    expect(await inspector.client('none')).toBeNull()
  })

  test('is kicked in whichever process has it', async () => {
    const { inspector } = setUp([withClients(['a']), silent, withClients(['b'])])
    expect(await inspector.kick('b')).toBe(true)
    expect(await inspector.kick('none')).toBe(false)
  })
})

describe('streams', () => {
  const nameOf = (source: number): string => `v/live/${source}`
  const info = (source: number): StreamInfo => ({ source, stream: nameOf(source) }) as StreamInfo
  const backSource =
    (...sources: number[]) =>
    (question: Question): Answer | null => {
      const all = sources.map(info)
      if (question.ask === 'streams') {
        return { of: 'streams', streams: pageOf(all, question.start, question.count), total: all.length }
      }
      if (question.ask !== 'stream') return null
      const streams = all.filter(({ stream }) => streamTag(stream) === question.tag)
      return { of: 'streams', streams, total: streams.length }
    }
  /** A worker with viewers of the first three. */
  const known = [1, 2, 3].map(nameOf)
  const watching =
    (players: Protocols, publishers = 0) =>
    (question: Question): Answer | null => {
      if (question.ask !== 'audience') return null
      const audience = (question.streams ?? known).map((stream) => ({
        stream,
        publishers,
        players,
        sendBytes: 10,
        sendKbps: 1,
      }))
      return { of: 'audience', audience }
    }

  test('come with the audience of all workers', async () => {
    const { inspector } = setUp([
      backSource(1, 2),
      backSource(3),
      watching({ rtmp: 2 }, 1),
      watching({ rtmp: 1, ws: 1 }),
    ])
    const { items, total } = await inspector.streams(1, 5)
    const audience = { clients: 5, players: { rtmp: 3, ws: 1 }, sendBytes: 20, sendKbps: 2 }
    expect(total).toBe(3)
    expect(items).toStrictEqual([
      { source: 2, stream: 'v/live/2', ...audience },
      { source: 3, stream: 'v/live/3', ...audience },
    ])
  })

  test('are found by their tag', async () => {
    const { inspector } = setUp([backSource(1, 2), watching({ rtmp: 1 })])
    expect(await inspector.stream(streamTag(nameOf(2)))).toMatchObject({ source: 2, clients: 1 })
    expect(await inspector.stream(streamTag(nameOf(9)))).toBeNull()
  })

  test('are asked for together with who watches them, as long as they are few', async () => {
    const { inspector, inquiries } = setUp([backSource(1, 2), watching({ rtmp: 1 })])
    await inspector.streams(0, 10)
    await inspector.streams(0, 10)
    const audience = { ask: 'audience', streams: null }
    const streams = { ask: 'streams', start: 0, count: 10 }
    expect(inquiries.map(({ question }) => question)).toStrictEqual([streams, audience, streams, audience])
  })

  test('that are many are asked for first, and then who watches those of the page', async () => {
    const numbers = Array.from({ length: 51 }, (_, index) => index)
    const { inspector, inquiries } = setUp([backSource(...numbers), watching({ rtmp: 1 })])
    const ofPage = { ask: 'audience', streams: [nameOf(7), nameOf(8)] }
    for (const round of [1, 2]) {
      inquiries.length = 0
      const { items } = await inspector.streams(7, 2)
      expect([round, items.map(({ clients }) => clients)]).toStrictEqual([round, [1, 1]])
      expect(inquiries.at(-1)?.question).toStrictEqual(ofPage)
    }
    expect(inquiries.length).toBe(2)
  })
})

test('traffic is added up for each virtual host', async () => {
  const of = (vhost: string, bytes: number) => ({
    ...{ vhost, publishers: 1, players: { rtmp: 2 }, streams: 1 },
    ...{ sendBytes: bytes, recvBytes: 1, sendKbps: 2, recvKbps: 3 },
  })
  const { inspector } = setUp([
    () => ({ of: 'traffic', traffic: [of('a', 10), of('b', 20)] }),
    () => ({ of: 'traffic', traffic: [of('a', 30)] }),
  ])
  const { traffic } = await inspector.traffic()
  expect(traffic).toStrictEqual([
    {
      ...{ vhost: 'a', clients: 6, publishers: 2, players: { rtmp: 4 }, streams: 2 },
      ...{ sendBytes: 40, recvBytes: 2, sendKbps: 4, recvKbps: 6 },
    },
    {
      ...{ vhost: 'b', clients: 3, publishers: 1, players: { rtmp: 2 }, streams: 1 },
      ...{ sendBytes: 20, recvBytes: 1, sendKbps: 2, recvKbps: 3 },
    },
  ])
})

describe('the processes', () => {
  const processes = async (inspector: Inspector) => {
    const asked = inspector.recentProcesses()
    await vi.advanceTimersByTimeAsync(0)
    return asked
  }

  test('as they were of late: asked for when nothing is known, and again once it is a second old', async () => {
    vi.useFakeTimers()
    const { inspector, inquiries } = setUp([silent])
    const first = await processes(inspector)
    await vi.advanceTimersByTimeAsync(900)
    expect(await processes(inspector)).toBe(first)
    expect(inquiries.length).toBe(1)
    await vi.advanceTimersByTimeAsync(200)
    expect(await processes(inspector)).toBe(first)
    expect(inquiries.length).toBe(2)
    expect(await processes(inspector)).not.toBe(first)
  })

  test('are waited for when what is known is two seconds old', async () => {
    vi.useFakeTimers()
    const { inspector } = setUp([silent])
    const first = await processes(inspector)
    await vi.advanceTimersByTimeAsync(2100)
    expect(await processes(inspector)).not.toBe(first)
  })
})

describe('a master that does not answer', () => {
  test('is not waited for longer than three seconds; its late answer is nobody’s', async () => {
    vi.useFakeTimers()
    const sent: Inquiry[] = []
    const inspector = new Inspector((message) => sent.push(message as Inquiry))
    const asked = expect(inspector.status()).rejects.toMatchObject({ code: 'SERVER_SILENT' })
    await vi.advanceTimersByTimeAsync(3000)
    await asked
    inspector.onMessage({ t: 'report', inquiry: sent[0]!.inquiry, server, answers: [] })
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is asked no more than 64 things at once', async () => {
    vi.useFakeTimers()
    const sent: ToMaster[] = []
    const inspector = new Inspector((message) => sent.push(message))
    const asked = Array.from({ length: 65 }, (_, id) =>
      inspector.client(String(id)).catch(({ code }) => code),
    )
    expect(await asked[64]).toBe('SERVER_SILENT')
    expect(sent.length).toBe(64)
    await vi.advanceTimersByTimeAsync(3000)
    expect(new Set(await Promise.all(asked))).toStrictEqual(new Set(['SERVER_SILENT']))
  })
})
