/** A player of live HLS: keeps one connection, loads each new segment once, and looks at the playlist as often as it may. */
import { monotonicMs } from '../../../base/clock.ts'
import { WeirError } from '../../../base/errors.ts'
import type { ClientEvents, Player } from '../client.ts'
import { machineMs } from '../machine-clock.ts'
import { type PlayStatistics, StreamChecker } from '../stream-checker.ts'
import { HttpConnection } from './http-connection.ts'
import { type PlaylistView, viewPlaylist } from './playlist-view.ts'
import { StatusError } from './status-error.ts'
import { TsChecker } from './ts-checker.ts'

const ok = 200
/** How many segments before the end of a live playlist a player begins (RFC 8216, 6.3.3). */
const startDistance = 3
const maxPlaylistBytes = 1024 * 1024

type MediaPlaylist = Extract<PlaylistView, { kind: 'media' }>

/** A segment that is to be loaded, or is being loaded. */
interface Wanted {
  readonly url: URL
  /** It continues the one before. */
  readonly goesOn: boolean
  /** Its packets can be looked at. */
  readonly isPlainTs: boolean
}

export class HlsPlayer implements Player {
  #playlistUrl: URL
  /** Whether that was named by a list of variants. */
  #isVariant = false
  readonly #statistics: PlayStatistics
  readonly #events: ClientEvents
  readonly #connection: HttpConnection
  #stream: StreamChecker | null = null
  #checker: TsChecker | null = null
  #isUp = false
  #closed = false
  /** When the request was sent that is not answered, by the monotonic clock. */
  #askedMs = 0
  /** The same of the last request for the playlist. */
  #playlistAskedMs = 0
  /** The segment that is being loaded; null: the playlist is. */
  #loading: Wanted | null = null
  #wanted: Wanted[] = []
  /** Whether the answer is what was asked for. */
  #isGood = false
  #playlistParts: Buffer[] = []
  #playlistBytes = 0
  /** Number of the next segment that has not been wanted; null before the first playlist. */
  #nextSequence: number | null = null
  /** How long after {@link #playlistAskedMs} the playlist is loaded again; null: it is complete. */
  #reloadMs: number | null = 0
  /** A segment is missing in front of the next one. */
  #isBroken = false
  #timer: NodeJS.Timeout | undefined

  constructor(url: URL, statistics: PlayStatistics, events: ClientEvents) {
    this.#playlistUrl = url
    this.#statistics = statistics
    this.#events = events
    this.#connection = new HttpConnection({
      onHead: ({ status }) => this.#begin(status),
      onBody: (bytes, start, end) => this.#take(bytes, start, end),
      onEnd: () => this.#end(),
      onBroken: (error) => {
        this.#statistics.framingErrors += 1
        this.#fail(error)
      },
      onFailure: (error) => this.#fail(error),
    })
  }

  get bytes(): number {
    return this.#connection.bytes
  }

  start(): void {
    this.#stream = new StreamChecker(this.#statistics, machineMs())
    this.#checker = new TsChecker(this.#stream)
    this.#loadPlaylist()
  }

  finish(): boolean {
    return this.#stream?.finish() ?? false
  }

  close(): void {
    this.#stop()
    this.#connection.close()
  }

  #loadPlaylist(): void {
    this.#loading = null
    this.#playlistParts = []
    this.#playlistBytes = 0
    this.#ask(this.#playlistUrl)
    this.#playlistAskedMs = this.#askedMs
  }

  #ask(url: URL): void {
    this.#askedMs = monotonicMs()
    this.#connection.get({ url, isTimed: 'whole' })
  }

  #begin(status: number): void {
    this.#isGood = status === ok
    const wanted = this.#loading
    if (!this.#isGood) {
      const error = new StatusError(status, wanted?.url ?? this.#playlistUrl)
      if (!this.#isUp) this.#fail(error)
      else this.#events.onFault(error)
      if (wanted !== null) this.#isBroken = true
    } else if (wanted?.isPlainTs) {
      this.#checker?.beginSegment(wanted.goesOn && !this.#isBroken)
      this.#isBroken = false
    }
  }

  #take(bytes: Buffer, start: number, end: number): void {
    if (!this.#isGood) return
    if (this.#loading !== null) {
      if (this.#loading.isPlainTs) this.#checker?.push(bytes, start, end, machineMs())
      return
    }
    this.#playlistBytes += end - start
    if (this.#playlistBytes > maxPlaylistBytes) throw new WeirError('HLS_PLAYLIST', 'a playlist above 1 MiB')
    this.#playlistParts.push(Buffer.from(bytes.subarray(start, end)))
  }

  /** All of an answer has come. */
  #end(): void {
    if (this.#closed) return
    if (this.#isGood) {
      this.#statistics.responses.record(monotonicMs() - this.#askedMs)
      if (this.#loading === null) this.#endPlaylist()
      else this.#endSegment(this.#loading)
    }
    if (!this.#closed) this.#goOn()
  }

  #endSegment({ isPlainTs }: Wanted): void {
    this.#statistics.segments += 1
    const nowMs = machineMs()
    if (isPlainTs) this.#checker?.endSegment(nowMs)
    // What is encrypted is taken for what a decoder can begin with.
    else this.#stream?.onPicture(true, nowMs)
  }

  #endPlaylist(): void {
    this.#statistics.playlists += 1
    const view = viewPlaylist(Buffer.concat(this.#playlistParts).toString())
    if (view.kind === 'master') {
      if (this.#isVariant) throw new WeirError('HLS_PLAYLIST', 'a list of variants names another one')
      this.#isVariant = true
      this.#playlistUrl = this.#resolve(view.uri)
      this.#reloadMs = 0
      return
    }
    if (!this.#isUp) {
      this.#isUp = true
      this.#events.onUp()
    }
    const count = this.#want(view)
    // RFC 8216, 6.3.4: as soon as something new can be there, and in half that time if it was not.
    this.#reloadMs = view.ended ? null : count > 0 ? view.targetMs : view.targetMs / 2
  }

  /** @returns how many segments are new */
  #want(playlist: MediaPlaylist): number {
    const { mediaSequence, segments, isPlainTs } = playlist
    const end = mediaSequence + segments.length
    const start = playlist.ended ? mediaSequence : Math.max(mediaSequence, end - startDistance)
    let first = this.#nextSequence ?? start
    if (end < first) {
      this.#events.onFault(new WeirError('HLS_PLAYLIST', `the media sequence went back to ${mediaSequence}`))
      first = start
      this.#isBroken = true
    } else if (mediaSequence > first) {
      this.#stream?.onGap()
      first = mediaSequence
      this.#isBroken = true
    }
    for (const { uri, discontinuity } of segments.slice(first - mediaSequence)) {
      this.#wanted.push({ url: this.#resolve(uri), goesOn: !discontinuity, isPlainTs })
    }
    // Before there is a segment, it is not known where the stream will begin.
    if (segments.length > 0) this.#nextSequence = end
    return end - first
  }

  #resolve(uri: string): URL {
    const url = URL.parse(uri, this.#playlistUrl.href)
    if (url?.protocol === 'http:') return url
    throw new WeirError('HLS_PLAYLIST', `a playlist names ${uri.slice(0, 100)}, which is not http://…`)
  }

  /** Loads what is next, now or when its time has come. */
  #goOn(): void {
    const next = this.#wanted.shift()
    if (next !== undefined) {
      this.#loading = next
      this.#ask(next.url)
      return
    }
    if (this.#reloadMs === null) {
      this.#fail(new WeirError('HTTP_CLOSED', 'the playlist has ended'))
      return
    }
    const waitMs = Math.max(this.#playlistAskedMs + this.#reloadMs - monotonicMs(), 0)
    this.#timer = setTimeout(() => this.#loadPlaylist(), waitMs)
  }

  #fail(error: Error): void {
    if (this.#closed) return
    this.#stop()
    this.#connection.destroy()
    this.#events.onFailure(error)
  }

  #stop(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }
}
