import type { StreamId } from '../ipc/contract.ts'
import type { SourceEntry } from './source-entry.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** Servers below that are remembered for one stream: more are a mistake, or an attempt at the memory. */
const maxHops = 256

/** Who wants a stream. */
interface Watched {
  readonly workers: Set<WorkerHandle>
  /** The servers among their players, and those that have it from these; see rtmp/forward-route.ts. */
  readonly hops: Set<string>
}

/** Workers that want a stream for their players, whether it is live or not, and what they are told of it. */
export class Watchers {
  readonly #byStream = new Map<StreamId, Watched>()

  get streams(): StreamId[] {
    return [...this.#byStream.keys()]
  }

  has(stream: StreamId): boolean {
    return this.#byStream.has(stream)
  }

  /** @param route of a server among its players; see rtmp/forward-route.ts */
  add(worker: WorkerHandle, stream: StreamId, route: readonly string[] = []): void {
    const known = this.#byStream.get(stream)
    if (known === undefined) this.#byStream.set(stream, { workers: new Set([worker]), hops: new Set() })
    else known.workers.add(worker)
    this.addRoute(stream, route)
  }

  /** A server is among the players of a stream. It is remembered as long as anybody wants the stream. */
  addRoute(stream: StreamId, route: readonly string[]): void {
    const hops = this.#byStream.get(stream)?.hops
    if (hops === undefined) return
    for (const hop of route) if (hops.size < maxHops) hops.add(hop)
  }

  /** All servers that have the stream from here. */
  routeOf(stream: StreamId): readonly string[] {
    return [...(this.#byStream.get(stream)?.hops ?? [])]
  }

  /** @returns whether nobody wants the stream any more, but somebody did */
  remove(worker: WorkerHandle, stream: StreamId): boolean {
    const watchers = this.#byStream.get(stream)
    watchers?.workers.delete(worker)
    if (watchers?.workers.size !== 0) return false
    return this.#byStream.delete(stream)
  }

  /** The stream can be pulled from its back-source: tells one, or all that want it. */
  tellUp({ stream, number, sourceId, host }: SourceEntry, worker?: WorkerHandle): void {
    const { socketPath: path } = host.worker
    const told = worker === undefined ? this.#of(stream) : [worker]
    for (const one of told) one.send({ t: 'source-up', stream, source: number, path, sourceId })
  }

  tellDown({ stream, number }: SourceEntry): void {
    for (const worker of this.#of(stream)) worker.send({ t: 'source-down', stream, source: number })
  }

  tellAbsent(stream: StreamId): void {
    for (const worker of this.#of(stream)) worker.send({ t: 'source-absent', stream })
  }

  #of(stream: StreamId): Iterable<WorkerHandle> {
    return this.#byStream.get(stream)?.workers ?? []
  }
}
