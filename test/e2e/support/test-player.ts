import { onTestFinished } from 'vitest'
import { RtmpClient, type RtmpClientOptions } from '../../../src/client/rtmp-client.ts'
import { getNumber, getString } from '../../../src/media/amf-value.ts'
import { framesOf, type Seen, seen } from './played.ts'
import { until, within } from './until.ts'

/** Who serves a client, as the server's answer to connect tells. */
export interface Served {
  /** Process of the stream worker. */
  readonly workerPid: number
  /** The connection's id in the log. */
  readonly connectionId: string
}

/** @throws Error when the answer to connect does not tell */
export function servedBy(client: RtmpClient): Served {
  const data = client.information?.get('data')
  const workerPid = getNumber(data, 'srs_pid')
  const connectionId = getString(data, 'srs_id')
  if (workerPid === null || connectionId === null) throw new Error('the server did not tell who it is')
  return { workerPid, connectionId }
}

/** A player that keeps what it gets. */
export class TestPlayer {
  readonly packets: Seen[]
  readonly client: RtmpClient
  readonly served: Served
  /** Resolves when the connection is over, with the reason if it was none of ours. */
  readonly ended: Promise<Error | null>

  static async play(url: string, options: RtmpClientOptions = {}): Promise<TestPlayer> {
    const packets: Seen[] = []
    const { promise: ended, resolve } = Promise.withResolvers<Error | null>()
    const client = await RtmpClient.connect(url, {
      onPacket: (packet) => packets.push(seen(packet)),
      onClose: resolve,
      ...options,
    })
    onTestFinished(() => client.close())
    const player = new TestPlayer(client, packets, ended)
    await client.play()
    return player
  }

  private constructor(client: RtmpClient, packets: Seen[], ended: Promise<Error | null>) {
    this.client = client
    this.packets = packets
    this.ended = ended
    this.served = servedBy(client)
  }

  /** Audio and video frames, without the headers. */
  get frames(): Seen[] {
    return framesOf(this.packets)
  }

  /** Waits until it has that many frames. */
  has(count: number): Promise<Seen[]> {
    return this.#waitFor(`${count} frames`, () => this.frames.length >= count && this.frames)
  }

  /** Waits for that many further frames. */
  hasMore(count: number): Promise<Seen[]> {
    return this.has(this.frames.length + count)
  }

  /** Waits for a frame with this content. */
  hasFrame({ md5 }: Seen): Promise<Seen> {
    return this.#waitFor('a certain frame', () => this.packets.find((packet) => packet.md5 === md5))
  }

  async close(): Promise<void> {
    this.client.close()
    await within('the player to be closed', this.ended)
  }

  #waitFor<T>(what: string, check: () => T | undefined | false): Promise<T> {
    return until(`${what} at a player`, () => {
      const { closed } = this.client
      const found = check()
      if (!found && closed) throw new Error(`the player was closed after ${this.frames.length} frames`)
      return found
    })
  }
}

/** The first of some players that a certain stream worker serves. */
export function playerOn(workerPid: number, players: readonly TestPlayer[]): TestPlayer {
  const player = players.find(({ served }) => served.workerPid === workerPid)
  if (player === undefined) throw new Error(`no player is on worker ${workerPid}`)
  return player
}

/** Plays until each of `count` stream workers serves a player; the players are all that were needed. */
export async function playOnEveryWorker(url: string, count: number): Promise<TestPlayer[]> {
  const players: TestPlayer[] = []
  await until(`players on ${count} workers`, async () => {
    players.push(await TestPlayer.play(url))
    return new Set(players.map(({ served }) => served.workerPid)).size === count
  })
  return players
}
