import { setTimeout as delay } from 'node:timers/promises'
import { monotonicMs } from '../base/clock.ts'
import type { StreamOwner } from './owner.ts'

/** What came of asking for a stream. */
export interface Claimed {
  /** Null: it was taken. */
  readonly owner: StreamOwner | null
  /** The owner's lease, and what is left of it, in milliseconds. */
  readonly leaseMs: number
  readonly leftMs: number
}

/** A publish is not held up for longer, in milliseconds: encoders and `action_timeout` wait longer. */
const maxWaitMs = 10_000

/** Between two questions, in milliseconds. */
const stepMs = 200

/**
 * Whether a lease should have been renewed by now; one that has no end (below 0) is not ours. That is done when a third of it is over: the node that has it may be dead, or Redis
 * slow to it.
 */
export function isOverdue(leftMs: number, leaseMs: number): boolean {
  return leftMs >= 0 && leftMs < leaseMs * 0.6
}

/**
 * Takes a stream, or waits for it while the lease of its owner is overdue: the encoder of a node that has died is not refused at
 * another one. A lease that is renewed meanwhile ends the waiting.
 * @param claim asks for the stream
 * @param isWanted whether somebody still waits
 * @returns null when it was taken, else its owner
 */
export async function takeWhenFree(
  claim: () => Promise<Claimed>,
  isWanted: () => boolean,
): Promise<StreamOwner | null> {
  const untilMs = monotonicMs() + maxWaitMs
  for (;;) {
    const { owner, leftMs, leaseMs } = await claim()
    const isWorthWaiting = isOverdue(leftMs, leaseMs) && monotonicMs() + leftMs <= untilMs
    if (owner === null || !isWorthWaiting || !isWanted()) return owner
    await delay(Math.max(1, Math.min(stepMs, leftMs)))
  }
}
