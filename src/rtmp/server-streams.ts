/** The message streams of one server session (RTMP 1.0, section 7.2.1.3: createStream). */
import { WeirError } from '../base/errors.ts'

/** Which encoder's way of publishing a client follows; see {@link ServerStreams.publishStyle}. */
export type PublishStyle = 'fmle' | 'flash' | 'haivision'

/** What a message stream is used for; `asked`: the verdict is open. */
export type StreamState = 'idle' | 'publish-asked' | 'publishing' | 'play-asked' | 'playing'

export interface ServerStream {
  /** 1 .. {@link maxStreams} */
  readonly id: number
  state: StreamState
  /** The name as the client gave it to publish, with query: FCUnpublish repeats it. '' otherwise. */
  publishName: string
  /** How the current publish was begun. */
  publishStyle: PublishStyle
}

/** Live message streams of a connection; real clients use one, a conference in a browser some more. */
export const maxStreams = 16

export class ServerStreams {
  readonly #streams = new Map<number, ServerStream>()
  /**
   * - `fmle` (also ffmpeg, OBS, librtmp): releaseStream or FCPublish come before createStream;
   * - `haivision`: FCPublish comes after it;
   * - `flash`: neither comes.
   */
  #publishStyle: PublishStyle = 'flash'

  get publishStyle(): PublishStyle {
    return this.#publishStyle
  }

  /** releaseStream or FCPublish came. The first of a connection tells the style. */
  noteFcPublish(): void {
    if (this.#publishStyle === 'flash') this.#publishStyle = this.#streams.size > 0 ? 'haivision' : 'fmle'
  }

  /**
   * Opens a stream with the lowest id that is free.
   * @throws WeirError RTMP_FLOOD
   */
  create(): ServerStream {
    let id = 1
    while (this.#streams.has(id)) id += 1
    if (id > maxStreams)
      throw new WeirError('RTMP_FLOOD', `the client opened ${maxStreams} streams and wants more`)
    const stream: ServerStream = { id, state: 'idle', publishName: '', publishStyle: 'flash' }
    this.#streams.set(id, stream)
    return stream
  }

  delete(id: number): void {
    this.#streams.delete(id)
  }

  /**
   * The stream that a message belongs to. A client that sends publish, play or media on message stream 0, the
   * connection's own, works with servers that don't look at it: if just one stream is open, that one is meant.
   */
  find(id: number): ServerStream | undefined {
    if (id !== 0) return this.#streams.get(id)
    if (this.#streams.size !== 1) return undefined
    const [only] = this.#streams.values()
    return only
  }

  /** The stream that publishes under this name, else the only one that publishes at all. */
  findPublishing(name: string): ServerStream | undefined {
    const publishing = [...this.#streams.values()].filter((stream) => stream.state === 'publishing')
    return (
      publishing.find((stream) => stream.publishName === name) ??
      (publishing.length === 1 ? publishing[0] : undefined)
    )
  }
}
