import type { AccessRequest, VisitEnd } from '../../access/access-check.ts'
import type { AccessPipeline } from '../../access/access-pipeline.ts'
import { monotonicMs } from '../../base/clock.ts'
import { codeOf, messageOf, WeirError } from '../../base/errors.ts'
import { newId } from '../../base/ids.ts'
import type { Logger } from '../../base/logger.ts'
import type { Config } from '../../config/config.ts'
import type { AdmissionRefusal, ClientInfo } from '../../ipc/contract.ts'
import type { Broadcast } from '../../live/broadcast.ts'
import { displayName, splitStreamId, vhostOfStream } from '../../live/stream-key.ts'
import { Viewer } from '../../live/viewer.ts'
import type { PulledStream, StreamContent } from '../../pull/pulled-stream.ts'
import { isLive, waitFor } from '../../pull/wait-for.ts'
import type { BookedClient } from '../../worker/client-book.ts'
import type { Counted } from '../../worker/client-rates.ts'
import type { ClientTraffic } from '../../worker/traffic.ts'
import { Gate } from './gate.ts'
import type { LiveFormat } from './live-formats.ts'
import type { LiveTarget } from './live-mounts.ts'
import { statusOf } from './status-of.ts'
import type { Transport, TransportOwner } from './transport.ts'

/** What a viewer needs of its worker. */
export interface LiveViewerHost {
  readonly logger: Logger
  readonly config: Config
  readonly access: AccessPipeline
  /** Why the server has no room for one more connection; null: it has. */
  admit(viewer: LiveViewer): Promise<AdmissionRefusal | null>
  /** Told once; an admission that was asked for is given back. */
  /** @param failed it ended with an error */
  onClosed(viewer: LiveViewer, failed: boolean): void
}

/** What its request says of a viewer. */
export interface ViewerOrigin {
  /** The page it is in (`Referer`); '' if it does not say. */
  readonly pageUrl: string
  /** The URL as an RTMP client would have it, without the stream. */
  readonly tcUrl: string
  /** The query, with its `?`. */
  readonly param: string
  /** See {@link AccessRequest}. */
  readonly bearer?: string
}

/** A play as it is checked. */
export function playRequest(
  { stream }: LiveTarget,
  origin: ViewerOrigin,
  { id, ip, protocol }: { id: string; ip: string; protocol: string },
): AccessRequest {
  return { action: 'play', clientId: id, ip, protocol, swfUrl: '', ...splitStreamId(stream), ...origin }
}

/** How long a viewer waits for the other of audio and video once one of them has come, in milliseconds. */
const contentWaitMs = 500

/** A stream without a source is given this long at least to come back: its process may have crashed. */
const minLingerMs = 2000

/** One viewer of a live stream over HTTP or WebSocket, and the story of its life. */
export class LiveViewer implements TransportOwner, BookedClient, ClientTraffic {
  readonly id = newId()
  readonly target: LiveTarget
  readonly #origin: ViewerOrigin
  readonly format: LiveFormat
  readonly transport: Transport
  readonly #pulled: PulledStream
  readonly #host: LiveViewerHost
  readonly #logger: Logger
  readonly #beganAtMs = monotonicMs()
  /** What the last line of the periodic summary told. */
  #reported = { atMs: this.#beganAtMs, bytesOut: 0 }
  /** Ends the waits of one that is gone. */
  readonly #ended = new AbortController()
  readonly #gate: Gate
  readonly #viewer: Viewer
  readonly #broadcast: Broadcast
  /** Once it is let in: what follows when it ends. */
  #onEnd: VisitEnd | undefined

  /** It joins the stream at once, behind a closed gate: whenever that comes, nothing of it is missed. */
  constructor(
    target: LiveTarget,
    format: LiveFormat,
    transport: Transport,
    origin: ViewerOrigin,
    pulled: PulledStream,
    host: LiveViewerHost,
  ) {
    this.target = target
    this.#origin = origin
    this.format = format
    this.transport = transport
    this.#pulled = pulled
    this.#host = host
    this.#logger = host.logger.child({ cid: this.id })
    this.#gate = new Gate()
    this.#viewer = new Viewer(this.#gate, () => {
      const { stallTimeout } = this.#host.config
      this.close(new WeirError('PLAYER_STALLED', `nothing was read for ${stallTimeout} s`))
    })
    this.#broadcast = pulled.join(format.stream, this.#viewer)
    const { ip, port } = transport
    this.#logger.info({ ip, port, stream: this.#stream, format: format.name }, 'accepted')
  }

  /** It plays, or waits for what it is to play. */
  get role(): 'play' {
    return 'play'
  }

  /** Whether it gets the stream. */
  get playing(): boolean {
    return this.#gate.isOpen
  }

  /** Seconds since its request. */
  get aliveSeconds(): number {
    return (monotonicMs() - this.#beganAtMs) / 1000
  }

  /** Lets it in, if there is room, and plays the stream when it comes. Resolves when that is decided. */
  async start(): Promise<void> {
    this.transport.start(this)
    try {
      await this.#admission()
      if (this.#host.access.applies('play', this.target.vhost)) await this.#permission()
      await this.#presence()
      const content = await this.#content()
      if (!this.#ended.signal.aborted) this.#play(content)
    } catch (error) {
      this.close(error instanceof Error ? error : new Error(messageOf(error)))
    }
  }

  onDrain(): void {
    this.#broadcast.onDrain(this.#viewer)
  }

  onGone(error: Error | null): void {
    this.close(error, 'peer closed')
  }

  /** To be called about once a second. */
  sweep(nowMs: number): void {
    this.transport.sweep(nowMs)
    // One that waits is not stalled.
    if (!this.playing) this.#viewer.progressAt = nowMs
    // As long as the stream may go on without a break, its viewers stay.
    const lingerMs = Math.max(this.#host.config.sourceLinger * 1000, minLingerMs)
    if (this.playing && this.#pulled.absentMs(nowMs) > lingerMs) this.close(null, 'the stream ended')
  }

  logSummary(): void {
    const state = this.playing ? 'going on' : 'waiting for the stream'
    this.#logger.info({ ...this.#story(), ...this.#progress() }, `play: ${state}`)
  }

  get ip(): string {
    return this.transport.ip
  }

  get vhost(): string {
    return vhostOfStream(this.target.stream)
  }

  get sendBytes(): number {
    return this.transport.bytesOut
  }

  get recvBytes(): number {
    return this.transport.bytesIn
  }

  get protocol(): string {
    return this.format.name
  }

  describe(): Counted<ClientInfo> {
    return {
      ...splitStreamId(this.target.stream),
      pageUrl: this.#origin.pageUrl,
      tcUrl: this.#origin.tcUrl,
      id: this.id,
      ip: this.ip,
      swfUrl: '',
      type: `${this.target.kind}-play`,
      protocol: this.protocol,
      publish: false,
      aliveSeconds: this.aliveSeconds,
      sendBytes: this.sendBytes,
      recvBytes: this.recvBytes,
    }
  }

  kick(): void {
    this.close(new WeirError('CLIENT_KICKED', 'closed through the API'))
  }

  /** Ends it; `reason` null: the client or the server ended it in good order. */
  close(reason: Error | null, text = 'the server stops'): void {
    if (this.#ended.signal.aborted) return
    this.#ended.abort()
    const story = { ...this.#story(), ...this.#totals(), ...(this.playing ? {} : { phase: 'waiting' }) }
    this.#pulled.leave(this.#broadcast, this.#viewer)
    if (this.playing) this.transport.end(reason === null ? text : messageOf(reason))
    else this.transport.refuse(reason === null ? 503 : statusOf(reason))
    if (reason === null) this.#logger.info({ ...story, reason: text }, 'closed')
    else this.#logger.warn({ ...story, code: codeOf(reason), reason: messageOf(reason) }, 'closed')
    this.#onEnd?.(this)
    this.#host.onClosed(this, reason !== null)
  }

  async #admission(): Promise<void> {
    const refusal = await this.#host.admit(this)
    if (refusal !== null) throw new WeirError(refusal.code, refusal.message)
  }

  /** Before it hears whether the stream is there. One that has gone meanwhile was let in for nothing. */
  async #permission(): Promise<void> {
    const verdict = await this.#host.access.check(
      playRequest(this.target, this.#origin, this),
      this.target.vhost,
    )
    if (!verdict.ok) throw new WeirError(verdict.code, verdict.message)
    if (this.#ended.signal.aborted) verdict.end?.(this)
    else this.#onEnd = verdict.end
  }

  async #presence(): Promise<void> {
    const { signal } = this.#ended
    if (await isLive(this.#pulled, signal)) return
    if (this.target.vhost.httpRemux.hstrs) {
      if (await waitFor(this.#pulled, ({ presence }) => presence === 'live', this.#hstrsMs, signal)) return
    }
    throw new WeirError('STREAM_ABSENT', `${this.#stream} is not published`)
  }

  /** What is known of the stream's content when its first bytes have to announce it. */
  async #content(): Promise<StreamContent> {
    const { signal } = this.#ended
    const { awaits, audioCodec } = this.format
    const hasSome = ({ content }: PulledStream): boolean => content.audio !== null || content.video !== null
    const hasBoth = ({ content }: PulledStream): boolean => content.audio !== null && content.video !== null
    const hasAudio = ({ content }: PulledStream): boolean => content.audio !== null
    if (awaits !== 'nothing') {
      await waitFor(this.#pulled, hasSome, this.#hstrsMs, signal)
      await waitFor(this.#pulled, awaits === 'audio' ? hasAudio : hasBoth, contentWaitMs, signal)
    }
    const { content } = this.#pulled
    const isThere =
      audioCodec === null || content.audio === audioCodec || content.audio === `${audioCodec}-8k`
    if (isThere) return content
    throw new WeirError(
      'STREAM_ABSENT',
      `${this.#stream} has ${content.audio ?? 'no audio'}, not ${audioCodec}`,
    )
  }

  #play(content: StreamContent): void {
    const socket = this.transport.accept(this.format.contentType, this.format.firstBytes(content))
    this.#logger.info({ stream: this.#stream, sid: this.#sid, ...content }, 'play')
    this.#gate.open(socket)
    this.#broadcast.onDrain(this.#viewer)
  }

  get #hstrsMs(): number {
    return this.target.vhost.httpRemux.hstrsTimeout * 1000
  }

  get #stream(): string {
    return displayName(this.target.stream)
  }

  get #sid(): string | undefined {
    return this.#pulled.subscription?.sourceId
  }

  /** What it plays, for its log lines. */
  #story() {
    return { stream: this.#stream, sid: this.#sid, dropped: this.#viewer.dropped }
  }

  #totals() {
    return { bytesIn: this.recvBytes, bytesOut: this.sendBytes, seconds: Math.round(this.aliveSeconds) }
  }

  /** The same with the rate since the last time, for the line that is repeated. */
  #progress() {
    const totals = this.#totals()
    const nowMs = monotonicMs()
    const { atMs, bytesOut } = this.#reported
    const kbpsOut = Math.round((8 * (totals.bytesOut - bytesOut)) / (nowMs - atMs))
    this.#reported = { atMs: nowMs, bytesOut: totals.bytesOut }
    return { ...totals, kbpsOut }
  }
}
