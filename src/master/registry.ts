import type { StreamOwner } from '../cluster/owner.ts'
import type { StreamId } from '../ipc/contract.ts'

/**
 * Which node owns a stream, when several share the work. The source table asks before it accepts a publisher
 * and tells when the last one is gone. In one process's memory every stream is this node's.
 */
export interface StreamRegistry {
  /** @returns null when the stream is this node's from now on, else the node that owns it */
  acquire(stream: StreamId): Promise<StreamOwner | null>
  /** @returns the other node that owns the stream now; null when none does, or when that cannot be known */
  locate(stream: StreamId): Promise<StreamOwner | null>
  /** @returns the other node because of which a publish would be refused now; null when it would be granted */
  refusedFor(stream: StreamId): Promise<StreamOwner | null>
  release(stream: StreamId): void
}

/** The registry of a node that works alone. */
export class MemoryRegistry implements StreamRegistry {
  async acquire(): Promise<null> {
    return null
  }

  async locate(): Promise<null> {
    return null
  }

  async refusedFor(): Promise<null> {
    return null
  }

  release(): void {}
}
