/** The transports that `weir bench play` knows. Another one is a file like rtmp-player.ts and a line here. */
import { WeirError } from '../../base/errors.ts'
import type { ClientEvents, LoadClient } from './client.ts'
import { RtmpPlayer } from './rtmp-player.ts'
import type { PlayStatistics } from './stream-checker.ts'

export interface Player extends LoadClient {
  /** To be called once, at the end. @returns whether anything came that something can be decoded from */
  finish(): boolean
}

type CreatePlayer = (url: string, statistics: PlayStatistics, events: ClientEvents) => Player

/** By the scheme of the URL. */
const transports: ReadonlyMap<string, CreatePlayer> = new Map([
  ['rtmp', (url, statistics, events) => new RtmpPlayer(url, statistics, events)],
])

/**
 * A player that has not begun yet.
 * @throws WeirError BENCH_OPTION if nothing here plays such URLs, RTMP_NAME
 */
export function createPlayer(url: string, statistics: PlayStatistics, events: ClientEvents): Player {
  const scheme = /^([a-z]+):\/\//i.exec(url)?.[1]?.toLowerCase() ?? ''
  const create = transports.get(scheme)
  if (create !== undefined) return create(url, statistics, events)
  if (scheme === 'http' || scheme === 'https') {
    throw new WeirError('BENCH_OPTION', `${url}: playing over HTTP comes with the HTTP worker`)
  }
  throw new WeirError('BENCH_OPTION', `${url} is not rtmp://host/app/stream`)
}
