import type { Socket } from 'node:net'
import type { AccessAction, AccessRequest, Refused } from '../access/access-check.ts'
import { type Visitor, Visits, wholeConnection } from '../access/visits.ts'
import { monotonicMs } from '../base/clock.ts'
import { codeOf, messageOf, WeirError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { plainIp } from '../base/plain-ip.ts'
import type { Config, VhostConfig } from '../config/config.ts'
import { vhostNameOf, vhostOf } from '../config/vhost-of.ts'
import type { AdmissionRefusal, ClientInfo } from '../ipc/contract.ts'
import { splitStreamId } from '../live/stream-key.ts'
import { socketHighWaterMark } from '../live/viewer.ts'
import type { Packet } from '../media/packet.ts'
import { readEdge } from '../rtmp/edge-identity.ts'
import type { ServerSessionHandler } from '../rtmp/server-handler.ts'
import type { ConnectRequest, PlayRequest, PublishRequest } from '../rtmp/server-requests.ts'
import { ServerSession } from '../rtmp/server-session.ts'
import { adoptSocket } from '../worker/adopt-socket.ts'
import type { BookedClient } from '../worker/client-book.ts'
import type { Counted } from '../worker/client-rates.ts'
import { closeSoon } from '../worker/close-soon.ts'
import type { ClientTraffic } from '../worker/traffic.ts'
import { BandwidthCheck, bandwidthKey } from './bandwidth-check.ts'
import { ConnectionStreams, type StreamHubs, type StreamsOwner } from './connection-streams.ts'
import { Progress } from './progress.ts'
import type { ReadClock, Reader } from './read-clock.ts'
import { UnreadReplies } from './unread-replies.ts'

/** What a connection needs of its worker. */
export interface ConnectionHost extends StreamHubs {
  readonly logger: Logger
  readonly readClock: ReadClock
  /** Fields that name this server and this connection to the client (features of SRS's connect answer). */
  identity(connectionId: string, serverIp: string): Record<string, string | number>
  onClosed(connection: Connection, failed: boolean): void
}

/** Where a connection is in its life; each phase but the last two has a deadline, also while others are asked. */
type Phase = 'handshake' | 'connect' | 'idle' | 'active' | 'closed'

/** What has to come for a phase to end. */
const awaited: Record<Phase, string> = {
  handshake: 'the handshake',
  connect: 'connect',
  idle: 'publish or play',
  active: '',
  closed: '',
}

/** A read that brings as much tells of an encoder that would be held up if its socket rested now. */
const fullReadBytes = 128 * 1024

/** A ping makes the kernel notice a peer that vanished without a word, and tells the peer that we are here. */
const pingIntervalMs = 60_000

/** One RTMP client: its socket, its session, and the story of its life. */
export class Connection
  implements ServerSessionHandler, StreamsOwner, Reader, BookedClient, ClientTraffic, Visitor
{
  readonly id: string
  readonly ip: string
  readonly protocol = 'rtmp'
  readonly socket: Socket
  readonly session: ServerSession
  readonly logger: Logger
  /** What it was let in for. */
  readonly visits: Visits
  readonly #host: ConnectionHost
  readonly #streams: ConnectionStreams
  readonly #acceptedAtMs = monotonicMs()
  #phase: Phase = 'handshake'
  #deadlineMs: number
  #admitted = false
  #pendingConnect: ConnectRequest | null = null
  /** The one that is accepted, or about to be decided on. */
  #connect: ConnectRequest | null = null
  /** The virtual host that the peer asked for last: with connect, or with a stream. */
  #vhost: string | null = null
  #pingedAtMs = this.#acceptedAtMs
  readonly #progress: Progress
  readonly #replies: UnreadReplies
  #check: BandwidthCheck | null = null
  /** Not read from until the read clock's next tick. */
  #resting = false

  /** @param accepted not read from yet; it is this connection's from now on */
  constructor(id: string, accepted: Socket, host: ConnectionHost) {
    this.id = id
    const socket = adoptSocket(accepted, socketHighWaterMark, (bytes) => this.#receive(bytes))
    this.socket = socket
    this.ip = plainIp(socket.remoteAddress)
    this.logger = host.logger.child({ cid: id })
    this.#host = host
    this.#deadlineMs = this.#acceptedAtMs + host.config.handshakeTimeout * 1000
    this.session = new ServerSession(
      {
        chunkSize: host.config.chunkSize,
        windowAckSize: 2_500_000,
        maxMessageSize: host.config.maxMessageSize,
        maxChunkStreams: host.config.maxChunkStreams,
        identity: host.identity(id, plainIp(socket.localAddress)),
      },
      this,
    )
    this.visits = new Visits(host.access, this)
    this.#progress = new Progress(socket)
    this.#replies = new UnreadReplies(socket, () => this.updateReading())
    this.#streams = new ConnectionStreams(host, this)
    this.logger.info({ ip: this.ip, port: socket.remotePort }, 'accepted')
    socket.on('drain', () => this.#streams.onDrain())
    socket.on('error', (error) =>
      this.close(isHangUp(error) ? null : error, `peer closed (${codeOf(error)})`),
    )
    socket.on('end', () => this.close(null))
    socket.on('close', () => this.close(null))
  }

  get role(): 'publish' | 'play' | null {
    return this.#streams.role
  }

  get isConnected(): boolean {
    return this.#phase !== 'closed' && this.socket.readable
  }

  get isClosed(): boolean {
    return this.#phase === 'closed'
  }

  get connectRequest(): ConnectRequest | null {
    return this.#connect
  }

  /** The virtual host that serves it. */
  get vhost(): string | null {
    return this.#vhost === null ? null : vhostNameOf(this.#host.config, this.#vhost)
  }

  get sendBytes(): number {
    return this.socket.bytesWritten
  }

  get recvBytes(): number {
    return this.socket.bytesRead
  }

  describe(): Counted<ClientInfo> {
    const { pageUrl = '', swfUrl = '', tcUrl = '' } = this.#connect ?? {}
    const { stream = '', type = '' } = this.#streams.activity ?? {}
    return {
      ...splitStreamId(stream),
      ...{ id: this.id, ip: this.ip, pageUrl, swfUrl, tcUrl, type },
      protocol: 'encrypted' in this.socket ? 'rtmps' : this.protocol,
      publish: this.role === 'publish',
      aliveSeconds: (monotonicMs() - this.#acceptedAtMs) / 1000,
      sendBytes: this.sendBytes,
      recvBytes: this.recvBytes,
    }
  }

  kick(): void {
    this.close(new WeirError('CLIENT_KICKED', 'closed through the API'))
  }

  /** The master's answer whether the server has room for this connection. */
  onAdmission(refusal: AdmissionRefusal | null): void {
    if (this.#phase === 'closed') return
    if (refusal !== null) {
      this.close(new WeirError(refusal.code, refusal.message))
      return
    }
    this.#admitted = true
    const request = this.#pendingConnect
    this.#pendingConnect = null
    if (request !== null) this.#decideConnect(request)
  }

  /** To be called about once a second: deadlines, pings. */
  sweep(nowMs: number): void {
    if (nowMs > this.#deadlineMs) {
      const seconds = Math.round((nowMs - this.#acceptedAtMs) / 1000)
      const missing = this.session.waiting ? 'a verdict' : awaited[this.#phase]
      this.close(new WeirError('RTMP_TIMEOUT', `${missing} did not come, ${seconds} s after accept`))
    }
    const flood = this.#replies.overdue(nowMs)
    if (flood !== null) this.close(flood)
    this.#streams.sweep(nowMs)
    this.updateReading()
    if (this.session.state === 'ready' && nowMs - this.#pingedAtMs > pingIntervalMs) {
      this.#pingedAtMs = nowMs
      this.session.sendPing(Math.round(nowMs))
    }
  }

  /** One line about what the connection does, for the periodic summary. */
  logSummary(): void {
    this.#streams.logSummary()
  }

  /** Applies a new configuration: what belongs to a vhost that is gone ends. */
  reload(config: Config): void {
    const missing = this.#streams.missingVhost(config)
    if (missing !== null) this.close(new WeirError('VHOST_UNKNOWN', `vhost ${missing} was removed`))
    this.#applyNoDelay(config)
  }

  /** Ends the connection; `reason` null: the peer or the server ended it in good order. */
  close(reason: Error | null, text = 'peer closed'): void {
    if (this.#phase === 'closed') return
    const phase = this.#phase === 'active' ? undefined : this.#phase
    const story = { ...this.#streams.lastStory(), ...this.totals(), phase }
    this.#enter('closed')
    this.#streams.close()
    this.#check?.stop()
    this.visits.endAll()
    this.session.close()
    closeSoon(this.socket)
    if (reason === null) this.logger.info({ ...story, reason: text }, 'closed')
    else this.logger.warn({ ...story, code: codeOf(reason), reason: messageOf(reason) }, 'closed')
    this.#host.onClosed(this, reason !== null)
  }

  // What the session asks and tells.

  send(bytes: Buffer): void {
    if (this.#phase === 'closed') return
    this.#replies.write(bytes)
  }

  onHandshake(kind: string): void {
    this.#enter('connect', this.#host.config.connectTimeout)
    this.logger.info({ kind }, 'handshake done')
  }

  onConnect(request: ConnectRequest): void {
    if (this.#admitted) this.#decideConnect(request)
    else this.#pendingConnect = request
  }

  onPublish(request: PublishRequest): void {
    this.#streams.publish(request)
  }

  onPlay(request: PlayRequest): void {
    this.#streams.play(request)
  }

  onUnpublish(streamId: number): void {
    this.#streams.unpublish(streamId)
  }

  onStop(streamId: number): void {
    this.#streams.stop(streamId)
  }

  onPause(streamId: number, paused: boolean): void {
    this.#streams.pause(streamId, paused)
  }

  onCall(name: string): void {
    this.#check?.onCall(name)
  }

  onPacket(streamId: number, packet: Packet): void {
    this.#streams.relay(streamId, packet)
  }

  // What its streams need of it.

  /** Runs a step of the session: what it throws with a code is the peer's fault and ends the connection. */
  run(step: () => void): void {
    // Several small replies leave in one packet.
    this.socket.cork()
    try {
      step()
    } catch (error) {
      if (!(error instanceof WeirError)) throw error
      this.close(error)
    } finally {
      this.socket.uncork()
    }
    this.updateReading()
  }

  /**
   * Nothing is read from a peer that does not read, whose request is not decided yet, whose media cannot go on, or
   * while it rests.
   */
  updateReading(): void {
    if (this.#phase === 'closed') return
    const rest = this.#resting || this.#replies.tooMany || this.session.waiting
    const pause = rest || this.#streams.full(monotonicMs()) || (this.#check?.mustPause ?? false)
    if (pause === this.socket.isPaused()) return
    if (pause) this.socket.pause()
    else this.socket.resume()
  }

  readOn(): void {
    this.#resting = false
    this.updateReading()
  }

  onVhost(name: string): void {
    this.#vhost = name
    this.#applyNoDelay(this.#host.config)
  }

  accessRequest(
    action: AccessAction,
    about: Pick<AccessRequest, 'vhost' | 'app' | 'stream' | 'param'>,
  ): AccessRequest {
    const { pageUrl = '', swfUrl = '', tcUrl = '', args = null } = this.#connect ?? {}
    const { id: clientId, ip, protocol } = this
    const connectArgs = args === null ? {} : { connectArgs: args }
    return { action, clientId, ip, protocol, pageUrl, swfUrl, tcUrl, ...connectArgs, ...about }
  }

  onBusy(): void {
    this.#enter('active')
  }

  /** A connection that does nothing has to begin something in time. */
  onIdle(): void {
    this.#enter('idle', this.#host.config.actionTimeout, monotonicMs())
  }

  totals() {
    return this.#progress.totals()
  }

  progress() {
    return this.#progress.sinceLast()
  }

  #receive(bytes: Buffer): void {
    if (this.#phase === 'closed') return
    const restMs = bytes.length < fullReadBytes ? this.#streams.readWaitMs : 0
    if (restMs > 0) {
      this.#resting = true
      this.#host.readClock.rest(this, restMs)
    }
    this.run(() => this.session.push(bytes))
  }

  #decideConnect(request: ConnectRequest): void {
    const { access, config } = this.#host
    const { vhost: host, app, param } = request.address
    const vhost = vhostOf(config, host)
    this.#connect = request
    if (vhost === null) {
      this.#rejectConnect({ ok: false, code: 'VHOST_UNKNOWN', message: `no vhost ${host}` })
    } else if (!access.applies('connect', vhost)) this.#acceptConnect(request, vhost)
    else {
      const about = { vhost: vhostNameOf(config, host) ?? host, app, stream: '', param }
      this.visits.ask(wholeConnection, this.accessRequest('connect', about), vhost, (refused) => {
        if (refused === null) this.#acceptConnect(request, vhost)
        else this.#rejectConnect(refused)
      })
    }
  }

  #rejectConnect({ code, message }: Refused): void {
    this.session.rejectConnect('NetConnection.Connect.Rejected', message)
    this.close(new WeirError(code, message))
  }

  #acceptConnect(request: ConnectRequest, vhost: VhostConfig): void {
    this.#enter('idle', this.#host.config.actionTimeout)
    this.onVhost(request.address.vhost)
    const { address, flashVer } = request
    const name = vhostNameOf(this.#host.config, address.vhost)
    const edge = readEdge(request.args) ?? undefined
    this.logger.info(
      { vhost: name, host: address.vhost, app: address.app, client: flashVer, edge },
      'connect',
    )
    const wire = { chunkSize: vhost.chunkSize, windowAckSize: vhost.outAckSize }
    this.run(() => this.session.acceptConnect(wire, vhost.inAckSize))
    if (bandwidthKey(vhost.bandcheck, address.param) !== 'right' || this.isClosed) return
    this.onBusy()
    this.#check = new BandwidthCheck(this, vhost.bandcheck)
    this.#check.start()
  }

  #applyNoDelay(config: Config): void {
    const vhost = this.#vhost === null ? null : vhostOf(config, this.#vhost)
    if (vhost !== null) this.socket.setNoDelay(vhost.tcpNodelay)
  }

  /** Each phase has to be over some time after the accept, whatever came meanwhile: slow peers gain nothing. */
  #enter(phase: Phase, timeoutSeconds = Number.POSITIVE_INFINITY, sinceMs = this.#acceptedAtMs): void {
    this.#phase = phase
    this.#deadlineMs = sinceMs + timeoutSeconds * 1000
  }
}

/** Many players and encoders just drop the connection when they are done: that is an end, not a failure. */
function isHangUp(error: Error): boolean {
  return ['ECONNRESET', 'EPIPE'].includes(codeOf(error))
}
