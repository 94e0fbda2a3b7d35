import Hls, { ErrorDetails, ErrorTypes } from 'hls.js/light'
import { playNatively } from './native-playback.ts'
import {
  connectionFailure,
  type Failure,
  failureOfStatus,
  noMediaSource,
  notDecodable,
  type Playback,
  whyNot,
} from './playback.ts'

/** How often a decoder's error is repaired before the attempt is given up. */
const maxRepairs = 2

/** Plays HLS: with hls.js where the browser has Media Source Extensions, else with the browser's own player (iOS). */
export async function playHls(
  video: HTMLVideoElement,
  url: string,
  fail: (failure: Failure) => void,
): Promise<Playback> {
  if (!Hls.isSupported()) {
    if (video.canPlayType('application/vnd.apple.mpegurl') !== '') return playNatively(video, url, fail)
    fail(noMediaSource)
    return { destroy: () => {} }
  }
  const hls = new Hls({
    // A worker would be made from a blob, which the pages' policy forbids.
    enableWorker: false,
    backBufferLength: 30,
  })
  let repairs = 0
  hls.on(Hls.Events.ERROR, (_event, { fatal, type, details, response }) => {
    // hls.js repairs most by itself; who looks for the reason of a stall finds it among the browser's debug messages.
    console.debug(`hls.js: ${fatal ? 'fatal ' : ''}${type} ${details} ${response?.code ?? ''}`)
    if (!fatal) return
    if (type === ErrorTypes.MEDIA_ERROR && !isCodecError(details) && repairs < maxRepairs) {
      repairs += 1
      hls.recoverMediaError()
    } else if (type === ErrorTypes.MEDIA_ERROR || type === ErrorTypes.MUX_ERROR) {
      fail(notDecodable)
    } else if ((response?.code ?? 0) >= 400) fail(failureOfStatus(response?.code ?? 0))
    else if (type === ErrorTypes.NETWORK_ERROR) whyNot(url).then(fail)
    else fail(connectionFailure)
  })
  hls.loadSource(url)
  hls.attachMedia(video)
  return {
    destroy: () => hls.destroy(),
    latencySeconds: () => (hls.latency > 0 ? hls.latency : null),
  }
}

function isCodecError(details: ErrorDetails): boolean {
  return (
    details === ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR ||
    details === ErrorDetails.BUFFER_ADD_CODEC_ERROR ||
    details === ErrorDetails.BUFFER_INCOMPATIBLE_CODECS_ERROR
  )
}
