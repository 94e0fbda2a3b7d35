import type { StreamId } from '../ipc/contract.ts'
import type { SourceEntry } from './source-entry.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** Workers that want a stream for their players, whether it is live or not, and what they are told of it. */
export class Watchers {
  readonly #byStream = new Map<StreamId, Set<WorkerHandle>>()

  get streams(): StreamId[] {
    return [...this.#byStream.keys()]
  }

  has(stream: StreamId): boolean {
    return this.#byStream.has(stream)
  }

  add(worker: WorkerHandle, stream: StreamId): void {
    const known = this.#byStream.get(stream)
    if (known === undefined) this.#byStream.set(stream, new Set([worker]))
    else known.add(worker)
  }

  /** @returns whether nobody wants the stream any more, but somebody did */
  remove(worker: WorkerHandle, stream: StreamId): boolean {
    const watchers = this.#byStream.get(stream)
    watchers?.delete(worker)
    if (watchers?.size !== 0) return false
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
    return this.#byStream.get(stream) ?? []
  }
}
