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

/** What is known of who waits for a stream, and of its owner. */
export interface TakeQuestions {
  /** Asks for the stream. */
  claim(): Promise<Claimed>
  /** Whether somebody still waits. */
  isWanted(): boolean
  /** Whether the owner accepts connections. */
  reaches(owner: StreamOwner): Promise<boolean>
}

/**
 * Takes a stream, or waits for it while its owner seems to be dead: its lease is overdue, or it accepts no connections. So the
 * encoder of a node that has died is not refused at another one. A lease that is renewed ends the waiting: a node that is about
 * to end accepts no connections either, and still has its encoders.
 * @returns null when it was taken, else its owner
 */
export async function takeWhenFree({ claim, isWanted, reaches }: TakeQuestions): Promise<StreamOwner | null> {
  const untilMs = monotonicMs() + maxWaitMs
  let leftBeforeMs = Number.POSITIVE_INFINITY
  for (;;) {
    const { owner, leftMs, leaseMs } = await claim()
    const isWorthWaiting = leftMs >= 0 && leftMs <= leftBeforeMs && monotonicMs() + leftMs <= untilMs
    if (owner === null || !isWorthWaiting || !isWanted()) return owner
    if (!isOverdue(leftMs, leaseMs) && (await reaches(owner))) return owner
    leftBeforeMs = leftMs
    await delay(Math.max(1, Math.min(stepMs, leftMs)))
  }
}

/** What the script `claim` answers. */
export function claimed(answer: unknown): Claimed {
  if (!Array.isArray(answer)) return { owner: null, leaseMs: 0, leftMs: 0 }
  const [node, rtmp, http, lease, leftMs] = answer as [string, string, string, string, number]
  return { owner: { node, rtmp, http }, leaseMs: Number(lease), leftMs }
}
