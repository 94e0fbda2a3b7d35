import { expect } from 'vitest'
import { gapsIn } from './played.ts'
import type { Server } from './server.ts'
import { TestPlayer } from './test-player.ts'
import { TestPublisher } from './test-publisher.ts'

/** A publisher in real time and a player of it, which something that happens to the server shall not disturb. */
export class LivePair {
  readonly publisher: TestPublisher
  readonly player: TestPlayer

  /** Resolves when the player plays. */
  static async start(url: string): Promise<LivePair> {
    const publisher = await TestPublisher.publish(url)
    publisher.goLive()
    const player = await TestPlayer.play(url)
    await player.has(10)
    return new LivePair(publisher, player)
  }

  private constructor(publisher: TestPublisher, player: TestPlayer) {
    this.publisher = publisher
    this.player = player
  }

  /** Checks that the player goes on and that it has missed nothing since its start. */
  async goesOn(): Promise<void> {
    await this.player.hasMore(20)
    expect(gapsIn(this.player.packets, this.publisher.sent)).toEqual([])
    expect(this.publisher.client.closed).toBe(false)
  }

  async close(): Promise<void> {
    await this.publisher.close()
    await this.player.close()
  }
}

/** Checks that a server takes a new stream and plays it, and that none of its processes has crashed so far. */
export async function stillServes(server: Server): Promise<void> {
  const pair = await LivePair.start(server.url('still'))
  await pair.goesOn()
  await pair.close()
  const crashes = server.logs().filter(({ level, code }) => level === 'fatal' || code === 'WORKER_EXIT')
  expect(crashes).toEqual([])
}
