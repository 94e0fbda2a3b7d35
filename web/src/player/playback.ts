/** One attempt to play a stream, by whichever library. It ends with its first failure, or when it is destroyed. */
export interface Playback {
  destroy(): void
  /** Seconds between what is shown and the newest there is, where the library knows better than the buffer does. */
  readonly latencySeconds?: () => number | null
  /** How much has to be there before it plays, where the library does not see to that; 0 by default. */
  readonly startBufferSeconds?: number
}

/** Why a stream does not play. */
export interface Failure {
  /** In words, for the viewer. */
  readonly text: string
  /** Whether it may be better in a moment: the stream is not there yet, the server is away. */
  readonly mayRecover: boolean
}

/** Starts an attempt: `fail` is called once at most, and not after the end. */
export type StartPlayback = (
  video: HTMLVideoElement,
  url: string,
  fail: (failure: Failure) => void,
) => Promise<Playback>

/** What an HTTP status says of a stream. */
export function failureOfStatus(status: number): Failure {
  switch (status) {
    case 401:
    case 403:
      return { text: 'The server refuses this stream to you.', mayRecover: false }
    case 404:
      return { text: 'Nobody publishes this stream right now.', mayRecover: true }
    case 503:
      return { text: 'The server is full.', mayRecover: true }
    default:
      return { text: `The server answered ${status}.`, mayRecover: status >= 500 }
  }
}

export const connectionFailure: Failure = { text: 'The server does not answer.', mayRecover: true }

export const streamEnded: Failure = { text: 'The stream has ended.', mayRecover: true }

export const notDecodable: Failure = {
  text: 'This browser cannot decode the stream: its codec is not supported here.',
  mayRecover: false,
}

export const noMediaSource: Failure = {
  text: 'This browser lacks Media Source Extensions, which this way to play needs. Try HLS.',
  mayRecover: false,
}

/**
 * Finds out why a connection failed that tells no reason: a WebSocket, or a request that a policy forbids.
 * @param url of the stream over HTTP
 */
export async function whyNot(url: string): Promise<Failure> {
  try {
    const { ok, status } = await fetch(url, { method: 'HEAD', credentials: 'omit' })
    return ok ? connectionFailure : failureOfStatus(status)
  } catch {
    return isReachable(url) ? connectionFailure : elsewhere
  }
}

/** Pages may talk to their server only. */
const elsewhere: Failure = {
  text: 'This page plays streams of its own server only, and that address is another host.',
  mayRecover: false,
}

function isReachable(url: string): boolean {
  return URL.parse(url)?.hostname === location.hostname
}
