import { monotonicMs } from '../base/clock.ts'
import {
  type Answer,
  type ClientInfo,
  maxPageSize,
  type StreamAudience,
  type StreamId,
} from '../ipc/contract.ts'
import type { EncodedList } from '../ipc/encoded-list.ts'
import type { ByteCounts } from './byte-rates.ts'
import { ClientListWriter, isFound } from './client-json.ts'
import type { ClientRates, Counted, Counters } from './client-rates.ts'
import type { WorkQuestion } from './worker-process.ts'

/** A client as questions about it need it. */
export interface BookedClient extends ByteCounts {
  readonly id: string
  /** Null: it neither publishes nor plays, and is in no list. */
  readonly role: 'publish' | 'play' | null
  describe(): Counted<ClientInfo>
  /** Closes it, as somebody asked through the API. */
  kick(): void
}

/** What a worker with clients knows of them. */
export interface ClientBook extends Counters {
  readonly clients: ReadonlyMap<string, BookedClient>
  readonly rates: ClientRates
  /** Streams that it has a publisher or players of. */
  streams(): Iterable<StreamId>
  /** Who is there of these streams; those that it does not know may be left out. */
  audience(streams: readonly StreamId[]): readonly Counted<StreamAudience>[]
}

/** The answer of a worker with clients; null when the question is none for it. */
export function answerAboutClients(question: WorkQuestion, book: ClientBook): Answer | null {
  const { rates } = book
  const now = monotonicMs()
  const listed = (clients: readonly Counted<ClientInfo>[]): EncodedList => {
    const list = new ClientListWriter()
    for (const client of clients) list.add(client, rates.ofClient(now, client))
    return list.end()
  }
  switch (question.ask) {
    case 'clients': {
      const { start, count, search } = question
      const clients = [...book.clients.values()].filter(({ role }) => role !== null)
      if (search !== '') {
        const words = search.split(/\s+/)
        const found = clients.map((client) => client.describe()).filter((client) => isFound(client, words))
        return { of: 'clients', clients: listed(pageOf(found, start, count)), total: found.length }
      }
      const page = pageOf(clients, start, count).map((client) => client.describe())
      return { of: 'clients', clients: listed(page), total: clients.length }
    }
    case 'client': {
      const client = clientOf(book, question.id)
      const found = client === null ? [] : [client.describe()]
      return { of: 'clients', clients: listed(found), total: found.length }
    }
    case 'kick': {
      const client = clientOf(book, question.id)
      client?.kick()
      return { of: 'kick', kicked: client !== null }
    }
    case 'audience': {
      const streams = question.streams ?? [...new Set(book.streams())].slice(0, maxPageSize)
      const audience = book.audience(streams).map((of) => rates.ofStream(now, of))
      return { of: 'audience', audience }
    }
    case 'traffic':
      return { of: 'traffic', traffic: book.traffic().map((traffic) => rates.ofVhost(now, traffic)) }
    default:
      return null
  }
}

/** A part of a list, no larger than a page may be. */
export function pageOf<T>(list: readonly T[], start: number, count: number): T[] {
  return list.slice(start, start + Math.min(count, maxPageSize))
}

function clientOf(book: ClientBook, id: string): BookedClient | null {
  const client = book.clients.get(id)
  return client === undefined || client.role === null ? null : client
}
