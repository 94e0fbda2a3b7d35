import { canConnect } from '../base/can-connect.ts'
import type { StreamOwner } from './owner.ts'

/** How long a node may take to accept a connection, in milliseconds. */
const timeoutMs = 1000

/** Tells whether the owner of a stream accepts connections over RTMP. It never rejects. */
export interface Reach {
  reaches(owner: StreamOwner): Promise<boolean>
}

/** Finds out which nodes accept connections. Who asks about one that is being asked shares the answer. */
export class OwnerReach implements Reach {
  readonly #asked = new Map<string, Promise<boolean>>()

  reaches({ rtmp }: StreamOwner): Promise<boolean> {
    const asked = this.#asked.get(rtmp)
    if (asked !== undefined) return asked
    const answer = canConnect(rtmp, timeoutMs).finally(() => this.#asked.delete(rtmp))
    this.#asked.set(rtmp, answer)
    return answer
  }
}
