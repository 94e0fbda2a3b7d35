import type { VhostConfig } from '../config/config.ts'
import type { AccessRequest, Refused, Verdict, VisitEnd, VisitTraffic } from './access-check.ts'
import type { AccessPipeline } from './access-pipeline.ts'

/** What a connection tells of itself. */
export interface Visitor extends VisitTraffic {
  readonly isClosed: boolean
}

/** Key of what belongs to the connection itself: media never has this message stream. */
export const wholeConnection = 0

/**
 * What a connection was let in for and what has to be said when that ends: its connect, and the publish or play of
 * each of its message streams.
 */
export class Visits {
  readonly #access: AccessPipeline
  readonly #visitor: Visitor
  /** Most connections have none. */
  #ends: Map<number, VisitEnd> | null = null

  constructor(access: AccessPipeline, visitor: Visitor) {
    this.#access = access
    this.#visitor = visitor
  }

  /**
   * Asks for a message stream, or for the connection.
   * @param decided is called once, at once or later: with the refusal, or with null. Of a connection that has closed
   *   meanwhile nothing is to be decided; if it was let in, that ends at once
   * @param room see {@link AccessPipeline.check}
   */
  ask(
    streamId: number,
    request: AccessRequest,
    vhost: VhostConfig,
    decided: (refused: Refused | null) => void,
    room?: () => Promise<Verdict>,
  ): void {
    const settle = (verdict: Verdict): void => {
      if (this.#visitor.isClosed) {
        if (verdict.ok) verdict.end?.(this.#visitor)
      } else if (verdict.ok) {
        if (verdict.end !== undefined) this.#add(streamId, verdict.end)
        decided(null)
      } else decided(verdict)
    }
    const decision = this.#access.check(request, vhost, room)
    if (decision instanceof Promise) void decision.then(settle)
    else settle(decision)
  }

  #add(streamId: number, end: VisitEnd): void {
    this.#ends ??= new Map()
    this.#ends.set(streamId, end)
  }

  end(streamId: number): void {
    const end = this.#ends?.get(streamId)
    if (end === undefined) return
    this.#ends?.delete(streamId)
    end(this.#visitor)
  }

  /** Ends what the connection publishes and plays, then itself. */
  endAll(): void {
    for (const streamId of this.#ends?.keys() ?? []) if (streamId !== wholeConnection) this.end(streamId)
    this.end(wholeConnection)
  }
}
