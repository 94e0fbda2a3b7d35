import { formatBitrate, formatBytes, formatCount, formatDuration } from '../shared/format.ts'
import type { Snapshot } from './api-client.ts'
import { type Rates, recent } from './rates.ts'
import { Sparkline } from './sparkline.tsx'

interface OverviewProps {
  readonly snapshot: Snapshot
  readonly rates: Rates
}

/** The server in a few numbers. */
export function Overview({ snapshot, rates }: OverviewProps) {
  const { totals, workers, uptime } = snapshot
  const players = Object.values(totals.players).reduce((sum, count) => sum + count, 0)
  const cores = workers.reduce((sum, worker) => sum + (worker.cpu_percent ?? 0), 0)
  const memory = workers.reduce((sum, worker) => sum + (worker.rss_bytes ?? 0), 0)
  const { in: incoming, out: outgoing } = rates.total
  return (
    <dl class="tiles">
      <Tile name="Streams" value={formatCount(totals.publishers)} note="published now" />
      <Tile name="Viewers" value={formatCount(players)} note={playersNote(totals.players)} />
      <div class="tile wide">
        <dt>In</dt>
        <dd>{formatBitrate(recent(incoming))}</dd>
        <Sparkline values={incoming} label="What came in over the last minute" />
      </div>
      <div class="tile wide">
        <dt>Out</dt>
        <dd>{formatBitrate(recent(outgoing))}</dd>
        <Sparkline values={outgoing} label="What went out over the last minute" />
      </div>
      <Tile name="Processor" value={`${(cores * 100).toFixed(0)} %`} note="of one core, all processes" />
      <Tile name="Memory" value={formatBytes(memory)} note={`${formatCount(workers.length)} processes`} />
      <Tile name="Running for" value={formatDuration(uptime)} note={`Weir ${snapshot.version}`} />
    </dl>
  )
}

interface TileProps {
  readonly name: string
  readonly value: string
  readonly note: string
}

function Tile({ name, value, note }: TileProps) {
  return (
    <div class="tile">
      <dt>{name}</dt>
      <dd>{value}</dd>
      <dd class="note">{note}</dd>
    </div>
  )
}

/** `12 rtmp, 3 http-flv`. */
export function playersNote(players: Readonly<Record<string, number>>): string {
  return Object.entries(players)
    .filter(([protocol, count]) => count > 0 && protocol !== 'all')
    .toSorted(([, a], [, b]) => b - a)
    .map(([protocol, count]) => `${formatCount(count)} ${protocol}`)
    .join(', ')
}
