import { Fragment } from 'preact'
import { useState } from 'preact/hooks'
import type { PageFacts } from '../shared/facts.ts'
import { formatBitrate, formatCount, formatDuration } from '../shared/format.ts'
import { PublishGuide } from '../shared/publish-guide.tsx'
import type { Snapshot, StreamData } from './api-client.ts'
import { DataTable } from './data-table.tsx'
import { playersNote } from './overview.tsx'
import { type RateHistory, type Rates, recent } from './rates.ts'
import { Sparkline } from './sparkline.tsx'
import { StreamPlayer } from './stream-player.tsx'

const columns = ['Stream', 'Video', 'Audio', 'In, last minute', 'Out', 'Viewers', 'Published for', 'Actions']

interface StreamsSectionProps {
  readonly facts: PageFacts
  readonly snapshot: Snapshot
  readonly rates: Rates
  readonly onUnpublish: (stream: StreamData) => void
}

/** Every stream, with what it is and what it carries; one of them may play. */
export function StreamsSection({ facts, snapshot, rates, onUnpublish }: StreamsSectionProps) {
  const [playing, setPlaying] = useState<string | null>(null)
  const { streams_total: total } = snapshot
  const streams = snapshot.streams.toSorted(byName)
  if (streams.length === 0) return <NoStreams facts={facts} />
  return (
    <section aria-labelledby="streams">
      <h2 id="streams">
        Streams <span class="count">{formatCount(total)}</span>
      </h2>
      <DataTable columns={columns}>
        {streams.map((stream) => (
          <Fragment key={stream.id}>
            <StreamRow
              stream={stream}
              history={rates.of(stream.id)}
              isPlaying={playing === stream.id}
              onPlay={() => setPlaying(playing === stream.id ? null : stream.id)}
              onUnpublish={() => onUnpublish(stream)}
            />
            {playing === stream.id && (
              <tr class="detail">
                <td colSpan={columns.length}>
                  <StreamPlayer stream={stream} />
                </td>
              </tr>
            )}
          </Fragment>
        ))}
      </DataTable>
      {streams.length < total && (
        <p class="hint">
          The first {formatCount(streams.length)} of {formatCount(total)} streams.
        </p>
      )}
    </section>
  )
}

interface StreamRowProps {
  readonly stream: StreamData
  readonly history: RateHistory
  readonly isPlaying: boolean
  readonly onPlay: () => void
  readonly onUnpublish: () => void
}

function StreamRow({ stream, history, isPlaying, onPlay, onUnpublish }: StreamRowProps) {
  const { video, audio, publish } = stream
  const viewers = Math.max(0, stream.clients - (publish.active ? 1 : 0))
  const title = streamTitle(stream)
  return (
    <tr data-stream={stream.id}>
      <th scope="row">
        <span class="name">
          <span class="dot" data-on={publish.active} />
          <span>
            <b>{title}</b>
            {stream.vhost !== '__defaultVhost__' && <small>{stream.vhost}</small>}
          </span>
        </span>
      </th>
      <td data-label="Video" class="whole">
        {video === null
          ? '–'
          : join(
              video.codec,
              video.width > 0 && `${video.width}×${video.height}`,
              publish.active && history.framesPerSecond >= 0.5 && `${history.framesPerSecond.toFixed(0)} fps`,
            )}
        {video !== null && <small>{known(video.profile)}</small>}
      </td>
      <td data-label="Audio" class="whole">
        {audio === null ? '–' : join(audio.codec, channelNames[audio.channel] ?? `${audio.channel} channels`)}
        {audio !== null && (
          <small>
            {join(
              audio.sample_rate > 0 && `${(audio.sample_rate / 1000).toFixed(1)} kHz`,
              known(audio.profile),
            )}
          </small>
        )}
      </td>
      <td data-label="In" class="rate">
        <span>{publish.active ? formatBitrate(recent(history.in)) : 'no publisher'}</span>
        <Sparkline values={history.in} label={`Bitrate of ${title} over the last minute`} />
      </td>
      <td data-label="Out" class="whole">
        {formatBitrate(recent(history.out))}
      </td>
      <td data-label="Viewers">
        {formatCount(viewers)}
        <small>{playersNote(stream.players)}</small>
      </td>
      <td data-label="Published for" class="whole">
        {publish.active ? formatDuration(stream.publish_ms / 1000) : '–'}
      </td>
      <td class="actions">
        <button type="button" aria-expanded={isPlaying} aria-label={`Play ${title}`} onClick={onPlay}>
          {isPlaying ? 'Close' : 'Play'}
        </button>
        <button
          type="button"
          class="quiet kick"
          aria-label={`Take ${title} from its publisher`}
          disabled={!publish.active}
          onClick={onUnpublish}
        >
          Stop
        </button>
      </td>
    </tr>
  )
}

const channelNames: readonly string[] = ['', 'mono', 'stereo']

/** What is not known is left out. */
function known(text: string): string | false {
  return text !== 'Other' && text
}

function join(...parts: readonly (string | false)[]): string {
  return parts.filter((part) => part !== false && part !== '').join(' · ')
}

function byName(a: StreamData, b: StreamData): number {
  return a.vhost.localeCompare(b.vhost) || streamTitle(a).localeCompare(streamTitle(b))
}

/** A stream as a person names it. */
export function streamTitle({ app, name }: Pick<StreamData, 'app' | 'name'>): string {
  return `${app}/${name}`
}

function NoStreams({ facts }: { readonly facts: PageFacts }) {
  return (
    <section class="empty" aria-labelledby="streams">
      <h2 id="streams">Nobody publishes a stream yet</h2>
      <p>
        Here is how. <a href="../publish/">More, with other names</a>
      </p>
      <PublishGuide facts={facts} name={{ app: 'live', stream: 'livestream' }} />
    </section>
  )
}
