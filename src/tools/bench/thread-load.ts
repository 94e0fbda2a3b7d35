/** The load that one thread makes: a fleet of players or of publishers, and what they count. */
import type { LoadClient, Player } from './client.ts'
import { clientUrl } from './client-url.ts'
import { readClip } from './clip.ts'
import { Fleet, type RampOptions } from './fleet.ts'
import type { PlayFigures, PlayPlan, PublishFigures, PublishPlan } from './plan.ts'
import { createPlayer } from './player.ts'
import { Publisher, PublishStatistics } from './publisher.ts'
import { SendClock } from './send-clock.ts'
import { PlayStatistics } from './stream-checker.ts'

export interface ThreadLoad {
  readonly fleet: Fleet<LoadClient>
  /** Counts anew what is counted from the begin of the measurement on. */
  measure(): void
  /** To be called once, at the end. */
  finish(): PlayFigures | PublishFigures
  /** Publishers that have sent all they had. */
  done(): number
}

/** Clients of all threads together that may be on their way at once. */
const maxConnecting = 50

/** @throws WeirError FLV_FORMAT, BENCH_OPTION; the system's error when the clip cannot be read */
export async function createLoad(plan: PlayPlan | PublishPlan, thread: number): Promise<ThreadLoad> {
  return plan.kind === 'play' ? playLoad(plan, thread) : publishLoad(plan, thread)
}

function playLoad(plan: PlayPlan, thread: number): ThreadLoad {
  const statistics = new PlayStatistics()
  const fleet = new Fleet<Player>(rampOf(plan, thread), (index, events) => {
    const url = clientUrl(plan.url, thread + index * plan.threads, plan.streams)
    return createPlayer(url, statistics, events)
  })
  return {
    fleet,
    measure: () => statistics.measure(),
    finish: () => {
      for (const player of fleet.clientsUp) if (!player.finish()) fleet.countError('NO_MEDIA')
      const { firstPacket, latency, responses, ...counts } = statistics
      return {
        kind: 'play',
        firstPacket: firstPacket.toData(),
        latency: latency.toData(),
        responses: responses.toData(),
        ...counts,
      }
    },
    done: () => 0,
  }
}

async function publishLoad(plan: PublishPlan, thread: number): Promise<ThreadLoad> {
  const clip = await readClip(plan.clip, plan.stamp)
  const statistics = new PublishStatistics()
  const clock = new SendClock()
  const fleet = new Fleet<Publisher>(rampOf(plan, thread), (index, events) => {
    const number = thread + index * plan.threads
    const url = clientUrl(plan.url, number, null)
    const options = { url, clip, loop: plan.loop, phase: number / plan.clients }
    return new Publisher(options, clock, statistics, events)
  })
  return {
    fleet,
    measure: () => statistics.clear(),
    finish: () => ({ kind: 'publish', packets: statistics.packets, late: statistics.late }),
    done: () => fleet.clientsUp.filter((publisher) => publisher.done).length,
  }
}

/** A thread has the clients whose number, divided by the number of threads, leaves its own. */
function rampOf({ clients, rampPerSecond, threads }: PlayPlan | PublishPlan, thread: number): RampOptions {
  return {
    clients: Math.ceil((clients - thread) / threads),
    perSecond: rampPerSecond / threads,
    maxConnecting: Math.max(Math.floor(maxConnecting / threads), 1),
  }
}
