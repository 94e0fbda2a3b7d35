/** The transports that `weir bench play` knows. Another one is a file like rtmp-player.ts and a line here. */
import { extname } from 'node:path'
import { WeirError } from '../../base/errors.ts'
import type { ClientEvents, Player } from './client.ts'
import { HlsPlayer } from './http/hls-player.ts'
import { LivePlayer, liveBodies } from './http/live-player.ts'
import { RtmpPlayer } from './rtmp-player.ts'
import type { PlayStatistics } from './stream-checker.ts'

type CreatePlayer = (url: string, statistics: PlayStatistics, events: ClientEvents) => Player

/** By the scheme of the URL. */
const transports: ReadonlyMap<string, CreatePlayer> = new Map<string, CreatePlayer>([
  ['rtmp', (url, statistics, events) => new RtmpPlayer(url, statistics, events)],
  ['http', createWebPlayer],
  ['ws', createWebPlayer],
])

function createWebPlayer(text: string, statistics: PlayStatistics, events: ClientEvents): Player {
  const url = URL.parse(text)
  const ending = extname(url?.pathname ?? '')
  if (url?.protocol === 'http:' && ending === '.m3u8') return new HlsPlayer(url, statistics, events)
  if (url !== null && (ending === '.flv' || ending === '.ts')) {
    return new LivePlayer(url, liveBodies[ending], statistics, events)
  }
  throw new WeirError('BENCH_OPTION', `${text} does not end in .flv, .ts or (with http) .m3u8`)
}

/**
 * A player that has not begun yet.
 * @throws WeirError BENCH_OPTION if nothing here plays such URLs, RTMP_NAME
 */
export function createPlayer(url: string, statistics: PlayStatistics, events: ClientEvents): Player {
  const scheme = /^([a-z]+):\/\//i.exec(url)?.[1]?.toLowerCase() ?? ''
  const create = transports.get(scheme)
  if (create !== undefined) return create(url, statistics, events)
  throw new WeirError('BENCH_OPTION', `${url} is not rtmp://host/app/stream, http://… or ws://…`)
}
