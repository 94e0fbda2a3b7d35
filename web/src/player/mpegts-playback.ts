import Mpegts from 'mpegts.js'
import {
  connectionFailure,
  type Failure,
  failureOfStatus,
  noMediaSource,
  notDecodable,
  type Playback,
  streamEnded,
  whyNot,
} from './playback.ts'

/** The cached GOP makes a viewer begin behind: what is beyond this is skipped at once, in seconds. */
const startSkipSeconds = 3

/**
 * How much has to be there before it plays, in seconds: who joins right after a key frame has next to nothing, and would
 * stop again at once. Who joins later has more, and plays at once.
 */
const startBufferSeconds = 0.8

/** How far behind the newest picture playback stays, and how far it may fall before it plays a little faster. */
const targetSeconds = 1
const maxSeconds = 2

const config: Mpegts.Config = {
  // A worker would be made from a blob, which the pages' policy forbids.
  enableWorker: false,
  lazyLoad: false,
  deferLoadAfterSourceOpen: false,
  enableStashBuffer: true,
  stashInitialSize: 64 * 1024,
  autoCleanupSourceBuffer: true,
  autoCleanupMaxBackwardDuration: 60,
  autoCleanupMinBackwardDuration: 30,
  liveSync: true,
  liveSyncTargetLatency: targetSeconds,
  liveSyncMaxLatency: maxSeconds,
  liveSyncPlaybackRate: 1.15,
  referrerPolicy: 'no-referrer',
}

Mpegts.LoggingControl.applyConfig({ enableAll: false })

/** Plays FLV or MPEG-TS over HTTP or WebSocket. */
export async function playWithMpegts(
  video: HTMLVideoElement,
  url: string,
  fail: (failure: Failure) => void,
): Promise<Playback> {
  if (!Mpegts.isSupported()) {
    fail(noMediaSource)
    return { destroy: () => {} }
  }
  const type = new URL(url).pathname.endsWith('.ts') ? 'mpegts' : 'flv'
  const player = Mpegts.createPlayer({ type, url, isLive: true, cors: true }, config)
  player.on(Mpegts.Events.ERROR, (kind: string, detail: string, info?: { code?: number; msg?: string }) => {
    explain(url, kind, detail, info).then(fail)
  })
  let hasBegun = false
  player.on(Mpegts.Events.MEDIA_INFO, () => {
    hasBegun = true
  })
  player.on(Mpegts.Events.LOADING_COMPLETE, () => {
    // A WebSocket that was refused has ended too, for the library.
    if (hasBegun) fail(streamEnded)
    else whyNot(url.replace(/^ws/, 'http')).then(fail)
  })
  const skip = (): void => {
    if (video.buffered.length === 0) return
    const newest = video.buffered.end(video.buffered.length - 1)
    if (newest - video.currentTime > startSkipSeconds) video.currentTime = newest - targetSeconds
  }
  video.addEventListener('playing', skip, { once: true })
  player.attachMediaElement(video)
  player.load()
  return {
    startBufferSeconds,
    destroy: () => {
      video.removeEventListener('playing', skip)
      player.destroy()
      video.playbackRate = 1
    },
  }
}

async function explain(
  url: string,
  kind: string,
  detail: string,
  info: { code?: number; msg?: string } | undefined,
): Promise<Failure> {
  const { ErrorTypes, ErrorDetails } = Mpegts
  if (kind === ErrorTypes.MEDIA_ERROR) {
    const isCodec =
      detail === ErrorDetails.MEDIA_CODEC_UNSUPPORTED || /codec|sourcebuffer/i.test(info?.msg ?? '')
    if (isCodec) return notDecodable
    return { text: 'The stream has something in it that cannot be played here.', mayRecover: true }
  }
  if (detail === ErrorDetails.NETWORK_STATUS_CODE_INVALID) return failureOfStatus(info?.code ?? 0)
  if (detail === ErrorDetails.NETWORK_UNRECOVERABLE_EARLY_EOF) return streamEnded
  if (detail === ErrorDetails.NETWORK_EXCEPTION) return whyNot(url.replace(/^ws/, 'http'))
  return connectionFailure
}
