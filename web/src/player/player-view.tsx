import { useEffect, useRef, useState } from 'preact/hooks'
import { type PlayAddress, protocolNames } from '../shared/play-addresses.ts'
import { initialState, LivePlayer, type PlayerState, type PlayerStatistics } from './live-player.ts'

interface PlayerViewProps {
  /** The same stream by several protocols. */
  readonly addresses: readonly PlayAddress[]
  /** Index of the one that plays. */
  readonly chosen: number
  readonly onChoose: (index: number) => void
  /** Names the picture for those who do not see it. */
  readonly title: string
}

/** A stream that plays, with a choice of protocols and what is measured. */
export function PlayerView({ addresses, chosen, onChoose, title }: PlayerViewProps) {
  const video = useRef<HTMLVideoElement>(null)
  const player = useRef<LivePlayer>(null)
  const [state, setState] = useState<PlayerState>(initialState)
  const address = addresses[chosen]
  // Before its first picture the browser's own controls have nothing to control.
  const hasBegun = state.statistics.startUpMs !== null && state.phase !== 'failed'
  useEffect(() => {
    if (video.current === null || address === undefined) return
    const current = new LivePlayer(video.current, address, setState)
    player.current = current
    return () => current.close()
  }, [address?.protocol, address?.url])
  return (
    <section class="player" aria-label={title}>
      <div class="stage">
        {/* biome-ignore lint/a11y/useMediaCaption: live streams have no captions to offer */}
        <video ref={video} controls={hasBegun} playsInline aria-label={title} />
        <Overlay
          state={state}
          onUnmute={() => player.current?.unmute()}
          onRetry={() => player.current?.restart()}
        />
      </div>
      <div class="player-bar">
        <ProtocolSwitch addresses={addresses} chosen={chosen} onChoose={onChoose} />
        <Statistics statistics={state.statistics} />
      </div>
    </section>
  )
}

interface OverlayProps {
  readonly state: PlayerState
  readonly onUnmute: () => void
  readonly onRetry: () => void
}

function Overlay({ state: { phase, message, isMutedByBrowser }, onUnmute, onRetry }: OverlayProps) {
  const isBusy = phase === 'connecting' || phase === 'buffering'
  const text = message || (isBusy ? (phase === 'connecting' ? 'Connecting…' : 'Waiting for data…') : '')
  return (
    <>
      <div class="overlay" data-phase={phase} role="status">
        {(isBusy || phase === 'waiting') && <span class="spinner" aria-hidden="true" />}
        {text && <p>{text}</p>}
        {phase === 'failed' && (
          <button type="button" onClick={onRetry}>
            Try again
          </button>
        )}
      </div>
      {isMutedByBrowser && (
        <button type="button" class="unmute" onClick={onUnmute}>
          Turn the sound on
        </button>
      )}
    </>
  )
}

function ProtocolSwitch({ addresses, chosen, onChoose }: Omit<PlayerViewProps, 'title'>) {
  return (
    <fieldset class="segmented">
      <legend class="visually-hidden">Protocol</legend>
      {addresses.map(({ protocol }, index) => (
        <label key={protocol}>
          <input
            type="radio"
            name="protocol"
            value={protocol}
            checked={index === chosen}
            onChange={() => onChoose(index)}
          />
          <span>{protocolNames[protocol]}</span>
        </label>
      ))}
    </fieldset>
  )
}

function Statistics({ statistics }: { readonly statistics: PlayerStatistics }) {
  const { startUpMs, bufferSeconds, latencySeconds, droppedFrames, decodedFrames, stalls, width, height } =
    statistics
  const seconds = (value: number): string => `${value.toFixed(1)} s`
  const rows: readonly [string, string, string][] = [
    ['Start-up', startUpMs === null ? '–' : `${Math.round(startUpMs)} ms`, 'Until the first picture'],
    [
      'Latency',
      latencySeconds === null ? '–' : seconds(latencySeconds),
      'How far it is behind the newest picture that the server has sent',
    ],
    ['Buffer', seconds(bufferSeconds), 'What is there to be played'],
    ['Dropped', `${droppedFrames} of ${decodedFrames}`, 'Pictures that the browser did not show'],
    ['Stalls', String(stalls), 'How often it had to wait for data'],
    ['Picture', width === 0 ? '–' : `${width}×${height}`, 'Size of the picture'],
  ]
  return (
    <dl class="figures">
      {rows.map(([name, value, meaning]) => (
        <div key={name} title={meaning}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
