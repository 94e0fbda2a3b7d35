import type { FromMaster } from '../../src/ipc/contract.ts'
import type { BackSource } from '../../src/master/back-source-pool.ts'
import type { SourceHosts } from '../../src/master/source-entry.ts'
import type { Upstreams } from '../../src/master/upstreams.ts'
import type { WorkerHandle } from '../../src/master/worker-handle.ts'

/** A worker without a process: it keeps what the master sends. */
export class FakeWorker {
  readonly name: string
  readonly socketPath: string
  readonly sent: FromMaster[] = []
  pid = 1
  ready = false
  exited = false
  reachable = true
  leaving = false
  killed = false
  started = false

  constructor(name: string) {
    this.name = name
    this.socketPath = `/run/${name}.sock`
  }

  start(): void {
    this.started = true
  }

  send(message: FromMaster): void {
    this.sent.push(message)
  }

  leave(how: 'stop' | 'drain'): void {
    this.leaving = true
    this.send({ t: how })
  }

  kill(): void {
    this.killed = true
  }

  /** What was sent since the last call. */
  take(): FromMaster[] {
    return this.sent.splice(0)
  }

  /** As the master's classes see it. */
  get handle(): WorkerHandle {
    return this as unknown as WorkerHandle
  }
}

/** Back-sources without processes: each stream gets a fresh one. */
export class FakeHosts implements SourceHosts {
  readonly workers: FakeWorker[] = []
  readonly members: BackSource[] = []
  readonly released: BackSource[] = []

  acquire(): BackSource {
    const worker = new FakeWorker(`b${this.workers.length + 1}`)
    const member: BackSource = { worker: worker.handle, streams: 1 }
    this.workers.push(worker)
    this.members.push(member)
    return member
  }

  release(backSource: BackSource): void {
    this.released.push(backSource)
  }
}

/** The upstreams of an origin: it has none. */
export const noUpstreams: Upstreams = {
  pullFor: async () => null,
  pushFor: async () => null,
}

/** Resolves when upstreams that answer at once have been asked. */
export async function asked(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve()
}
