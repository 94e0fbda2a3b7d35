import type { PlayAddress } from '../shared/play-addresses.ts'
import { connectionFailure, type Failure, type Playback, type StartPlayback } from './playback.ts'

/** What the viewer is shown. */
export interface PlayerState {
  readonly phase: 'connecting' | 'playing' | 'buffering' | 'paused' | 'waiting' | 'failed'
  /** What is wrong, in words; '' if nothing is. */
  readonly message: string
  /** The browser lets it play without sound only, until the viewer asks. */
  readonly isMutedByBrowser: boolean
  readonly statistics: PlayerStatistics
}

/** Measured while it plays; null: not known (yet). */
export interface PlayerStatistics {
  /** From the start of the attempt to its first picture. */
  readonly startUpMs: number | null
  /** What is there to be played, in seconds. */
  readonly bufferSeconds: number
  /** How far it is behind the newest that there is. */
  readonly latencySeconds: number | null
  readonly droppedFrames: number
  readonly decodedFrames: number
  /** How often it had to wait after it had begun. */
  readonly stalls: number
  readonly width: number
  readonly height: number
}

const noStatistics: PlayerStatistics = {
  startUpMs: null,
  bufferSeconds: 0,
  latencySeconds: null,
  droppedFrames: 0,
  decodedFrames: 0,
  stalls: 0,
  width: 0,
  height: 0,
}

export const initialState: PlayerState = {
  phase: 'connecting',
  message: '',
  isMutedByBrowser: false,
  statistics: noStatistics,
}

/** How often it is looked whether there is enough to begin. */
const bufferCheckMs = 50

/** How often the statistics are taken. */
const sampleMs = 500

/** Pauses before another attempt, longer and longer. */
const retryMs = [1000, 2000, 3000, 5000]

/** It plays with less when no more comes for so long: what ends before is to be seen too. */
const startWaitMs = 2000

/** A stream from which nothing comes for so long is asked for again. */
const frozenMs = 10_000

/**
 * Plays one address in a video element, again and again until it is closed: a stream that is not there yet starts
 * when it comes.
 */
export class LivePlayer {
  readonly #video: HTMLVideoElement
  readonly #address: PlayAddress
  readonly #onChange: (state: PlayerState) => void
  readonly #ends = new AbortController()
  readonly #sampler: number
  #state = initialState
  #playback: Playback | null = null
  #attempt = 0
  #failures = 0
  #startedAt = 0
  #lastTime = 0
  #movedAt = 0
  #retry = 0

  constructor(video: HTMLVideoElement, address: PlayAddress, onChange: (state: PlayerState) => void) {
    this.#video = video
    this.#address = address
    this.#onChange = onChange
    const listen = (event: string, listener: () => void): void =>
      video.addEventListener(event, listener, { signal: this.#ends.signal })
    listen('playing', () => this.#onPlaying())
    listen('waiting', () => this.#onWaiting())
    listen('pause', () => this.#change({ phase: 'paused' }))
    listen('volumechange', () => {
      if (!video.muted) this.#change({ isMutedByBrowser: false })
    })
    this.#sampler = window.setInterval(() => this.#sample(), sampleMs)
    this.#start()
  }

  /** Lets the viewer hear it, who has asked for that. */
  unmute(): void {
    this.#video.muted = false
    this.#change({ isMutedByBrowser: false })
    this.#play()
  }

  /** Tries at once, and from the beginning. */
  restart(): void {
    this.#failures = 0
    this.#start()
  }

  close(): void {
    this.#ends.abort()
    window.clearInterval(this.#sampler)
    this.#end()
  }

  async #start(): Promise<void> {
    this.#end()
    const attempt = this.#attempt
    const isCurrent = (): boolean => attempt === this.#attempt && !this.#ends.signal.aborted
    this.#startedAt = performance.now()
    this.#movedAt = this.#startedAt
    if (this.#failures === 0) this.#change({ phase: 'connecting', message: '', statistics: noStatistics })
    const fail = (failure: Failure): void => {
      if (isCurrent()) this.#fail(failure)
    }
    try {
      const start = await starterOf(this.#address)
      if (!isCurrent()) return
      const playback = await start(this.#video, this.#address.url, fail)
      if (isCurrent()) {
        this.#playback = playback
        await this.#buffered(playback.startBufferSeconds ?? 0, isCurrent)
        if (!isCurrent()) return
        this.#onFirstPicture(isCurrent)
        this.#play()
      } else playback.destroy()
    } catch {
      // The part of the page that plays was not to be had.
      fail(connectionFailure)
    }
  }

  /** Ends the attempt that is under way. */
  #end(): void {
    this.#attempt += 1
    window.clearTimeout(this.#retry)
    this.#playback?.destroy()
    this.#playback = null
  }

  #fail({ text, mayRecover }: Failure): void {
    this.#end()
    if (!mayRecover) {
      this.#change({ phase: 'failed', message: text })
      return
    }
    this.#change({ phase: 'waiting', message: `${text} Trying again…` })
    const pause = retryMs[Math.min(this.#failures, retryMs.length - 1)]
    this.#failures += 1
    this.#retry = window.setTimeout(() => this.#start(), pause)
  }

  /** Resolves when there is enough to play, or the attempt has ended. */
  #buffered(seconds: number, isCurrent: () => boolean): Promise<void> {
    if (seconds === 0) return Promise.resolve()
    const video = this.#video
    const { promise, resolve } = Promise.withResolvers<void>()
    let since = Number.POSITIVE_INFINITY
    const check = (): void => {
      const now = performance.now()
      if (video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) since = Math.min(since, now)
      const isEnough = bufferAhead(video) >= seconds || now - since > startWaitMs
      if (isEnough || !isCurrent()) {
        window.clearInterval(timer)
        resolve()
      }
    }
    const timer = window.setInterval(check, bufferCheckMs)
    return promise
  }

  /** Browsers let a page begin with sound only when the viewer has done something on it. */
  async #play(): Promise<void> {
    try {
      await this.#video.play()
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== 'NotAllowedError' || this.#video.muted) return
      this.#video.muted = true
      this.#change({ isMutedByBrowser: true })
      await this.#play()
    }
  }

  #onFirstPicture(isCurrent: () => boolean): void {
    const done = (): void => {
      if (!isCurrent()) return
      this.#failures = 0
      this.#set({ startUpMs: performance.now() - this.#startedAt })
    }
    if ('requestVideoFrameCallback' in this.#video) this.#video.requestVideoFrameCallback(done)
    // A stream without pictures has none to wait for.
    this.#video.addEventListener(
      'playing',
      () => {
        if (this.#video.videoWidth === 0 || !('requestVideoFrameCallback' in this.#video)) done()
      },
      { once: true, signal: this.#ends.signal },
    )
  }

  #onPlaying(): void {
    this.#movedAt = performance.now()
    this.#change({ phase: 'playing', message: '' })
  }

  #onWaiting(): void {
    if (this.#state.phase !== 'playing') return
    this.#change({ phase: 'buffering', message: '' })
    this.#set({ stalls: this.#state.statistics.stalls + 1 })
  }

  #sample(): void {
    const video = this.#video
    const now = performance.now()
    if (video.currentTime !== this.#lastTime || video.paused) this.#movedAt = now
    this.#lastTime = video.currentTime
    const isOurs = this.#playback !== null && !video.ended && this.#state.phase !== 'failed'
    if (isOurs && now - this.#movedAt > frozenMs) {
      this.#fail({ text: 'Nothing comes of the stream.', mayRecover: true })
      return
    }
    const ahead = bufferAhead(video)
    const { totalVideoFrames, droppedVideoFrames } = video.getVideoPlaybackQuality()
    this.#set({
      bufferSeconds: ahead,
      latencySeconds: this.#playback === null ? null : (this.#playback.latencySeconds?.() ?? ahead),
      decodedFrames: totalVideoFrames,
      droppedFrames: droppedVideoFrames,
      width: video.videoWidth,
      height: video.videoHeight,
    })
  }

  #set(statistics: Partial<PlayerStatistics>): void {
    this.#change({ statistics: { ...this.#state.statistics, ...statistics } })
  }

  #change(state: Partial<PlayerState>): void {
    if (this.#ends.signal.aborted) return
    this.#state = { ...this.#state, ...state }
    this.#onChange(this.#state)
  }
}

/** The libraries are large: each is loaded when it is needed. */
async function starterOf({ protocol }: PlayAddress): Promise<StartPlayback> {
  switch (protocol) {
    case 'hls':
      return (await import('./hls-playback.ts')).playHls
    case 'file':
      return (await import('./native-playback.ts')).playNatively
    default:
      return (await import('./mpegts-playback.ts')).playWithMpegts
  }
}

/** Seconds that are there beyond what is shown; of a stream that has not begun, from its beginning. */
function bufferAhead({ buffered, currentTime }: HTMLVideoElement): number {
  if (currentTime === 0 && buffered.length > 0) return buffered.end(0) - buffered.start(0)
  for (let index = 0; index < buffered.length; index += 1) {
    if (buffered.start(index) <= currentTime + 0.1 && currentTime <= buffered.end(index)) {
      return buffered.end(index) - currentTime
    }
  }
  return 0
}
