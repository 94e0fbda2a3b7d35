import {
  type Answer,
  type ClientInfo,
  maxPageSize,
  type StreamAudience,
  type StreamId,
  type VhostTraffic,
} from '../ipc/contract.ts'
import type { WorkQuestion } from './worker-process.ts'

/** A client as questions about it need it. */
export interface BookedClient {
  readonly id: string
  /** Null: it neither publishes nor plays, and is in no list. */
  readonly role: 'publish' | 'play' | null
  describe(): ClientInfo
  /** Closes it, as somebody asked through the API. */
  kick(): void
}

/** What a worker with clients knows of them. */
export interface ClientBook {
  readonly clients: ReadonlyMap<string, BookedClient>
  audience(streams: readonly StreamId[]): StreamAudience[]
  traffic(): VhostTraffic[]
}

/** The answer of a worker with clients; null when the question is none for it. */
export function answerAboutClients(question: WorkQuestion, book: ClientBook): Answer | null {
  switch (question.ask) {
    case 'clients': {
      const clients = [...book.clients.values()].filter(({ role }) => role !== null)
      const page = pageOf(clients, question.start, question.count)
      return { of: 'clients', clients: page.map((client) => client.describe()), total: clients.length }
    }
    case 'client': {
      const client = clientOf(book, question.id)
      const clients = client === null ? [] : [client.describe()]
      return { of: 'clients', clients, total: clients.length }
    }
    case 'kick': {
      const client = clientOf(book, question.id)
      client?.kick()
      return { of: 'kick', kicked: client !== null }
    }
    case 'audience':
      return { of: 'audience', audience: book.audience(question.streams) }
    case 'traffic':
      return { of: 'traffic', traffic: book.traffic() }
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
