import { type Failure, notDecodable, type Playback, whyNot } from './playback.ts'

/** Plays what the browser plays by itself: files, and HLS on Apple's. */
export async function playNatively(
  video: HTMLVideoElement,
  url: string,
  fail: (failure: Failure) => void,
): Promise<Playback> {
  const onError = (): void => {
    if (video.error?.code === MediaError.MEDIA_ERR_DECODE) fail(notDecodable)
    else whyNot(url).then(fail)
  }
  video.addEventListener('error', onError)
  video.src = url
  return {
    destroy: () => {
      video.removeEventListener('error', onError)
      video.removeAttribute('src')
      video.load()
    },
  }
}
