import type {
  Answer,
  ByteRates,
  Protocols,
  ServerFacts,
  StreamAudience,
  StreamInfo,
  VhostTraffic,
  WorkerAnswer,
  WorkerStatus,
} from '../ipc/contract.ts'
import type { HookCount } from '../ipc/hook-facts.ts'

/** What the processes answered. */
export interface Report {
  readonly server: ServerFacts
  readonly answers: readonly WorkerAnswer[]
}

/** A part of a list that goes over all processes. */
export interface Page<T> {
  readonly items: readonly T[]
  /** Length of the whole list. */
  readonly total: number
}

/** A process: what it told of itself, or that it starts, or that it does not answer. */
export type ProcessView = Pick<WorkerAnswer, 'role' | 'index' | 'pid'> &
  (
    | { readonly state: 'running'; readonly status: WorkerStatus }
    | { readonly state: 'starting' | 'silent'; readonly status: null }
  )

/** A stream as the API tells it: what its back-source knows, and who watches it in all workers. */
export interface StreamView extends StreamInfo {
  /** Players and publisher. */
  readonly clients: number
  readonly players: Protocols
  readonly sendBytes: number
  readonly sendKbps: number
}

/** What all processes know of a virtual host's clients. */
export interface TrafficView extends ByteRates {
  readonly vhost: string
  /** Players and publishers. */
  readonly clients: number
  readonly publishers: number
  readonly players: Protocols
  readonly streams: number
  readonly sendBytes: number
  readonly recvBytes: number
}

/** The processes that a status was asked of, the master first. */
export function processViews(answers: readonly WorkerAnswer[]): ProcessView[] {
  return answers
    .map(({ role, index, pid, ready, answer }): ProcessView => {
      const process = { role, index, pid }
      if (answer?.of === 'status') return { ...process, state: 'running', status: answer.status }
      return { ...process, state: ready ? 'silent' : 'starting', status: null }
    })
    .sort((a, b) => Number(b.role === 'master') - Number(a.role === 'master'))
}

/** Puts together what the processes know of each virtual host. */
export function trafficViews(parts: readonly VhostTraffic[]): TrafficView[] {
  return [...Map.groupBy(parts, ({ vhost }) => vhost)].map(([vhost, own]) => {
    const publishers = sumOf(own, (part) => part.publishers)
    const players = sumOfPlayers(own)
    return {
      vhost,
      clients: publishers + count(players),
      publishers,
      players,
      streams: sumOf(own, (part) => part.streams),
      sendBytes: sumOf(own, (part) => part.sendBytes),
      recvBytes: sumOf(own, (part) => part.recvBytes),
      sendKbps: sumOf(own, (part) => part.sendKbps),
      recvKbps: sumOf(own, (part) => part.recvKbps),
    }
  })
}

/** Adds up what the processes have counted of each event. */
export function hookTotals(counts: readonly HookCount[]): HookCount[] {
  return [...Map.groupBy(counts, ({ action }) => action)].map(([action, own]) => ({
    action,
    answered: sumOf(own, (count) => count.answered),
    refused: sumOf(own, (count) => count.refused),
    failed: sumOf(own, (count) => count.failed),
    retried: sumOf(own, (count) => count.retried),
    dropped: sumOf(own, (count) => count.dropped),
    seconds: sumOf(own, (count) => count.seconds),
  }))
}

/** Adds to streams what the processes know of their clients. */
export function streamViews(streams: readonly StreamInfo[], parts: readonly StreamAudience[]): StreamView[] {
  const byStream = Map.groupBy(parts, ({ stream }) => stream)
  return streams.map((info) => {
    const own = byStream.get(info.stream) ?? []
    const players = sumOfPlayers(own)
    return {
      ...info,
      clients: sumOf(own, (part) => part.publishers) + count(players),
      players,
      sendBytes: sumOf(own, (part) => part.sendBytes),
      sendKbps: sumOf(own, (part) => part.sendKbps),
    }
  })
}

/** The answers to one kind of question; who did not answer in time is left out. */
export function pick<K extends Answer['of']>(
  answers: readonly WorkerAnswer[],
  of: K,
): Extract<Answer, { of: K }>[] {
  return answers.flatMap(({ answer }) => (answer?.of === of ? [answer as Extract<Answer, { of: K }>] : []))
}

export function sumOf<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0)
}

/** All players, whatever their protocol. */
export function count(players: Protocols): number {
  return sumOf(Object.values(players), (number) => number)
}

/** Adds up by protocol. */
export function sumOfPlayers(parts: readonly { readonly players: Protocols }[]): Protocols {
  const sum: Protocols = {}
  for (const { players } of parts) {
    for (const [protocol, number] of Object.entries(players)) sum[protocol] = (sum[protocol] ?? 0) + number
  }
  return sum
}
