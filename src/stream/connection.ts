import type { Socket } from 'node:net'
import { monotonicMs } from '../base/clock.ts'
import { codeOf, messageOf, WeirError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { Config, VhostConfig } from '../config/config.ts'
import { vhostNameOf, vhostOf } from '../config/vhost-of.ts'
import type { StreamId } from '../ipc/contract.ts'
import { displayName, streamId as streamIdOf, vhostOfStream } from '../live/stream-key.ts'
import type { Packet } from '../media/packet.ts'
import type { ServerSessionHandler } from '../rtmp/server-handler.ts'
import type { ConnectRequest, PlayRequest, PublishRequest } from '../rtmp/server-requests.ts'
import { ServerSession } from '../rtmp/server-session.ts'
import { Player } from './player.ts'
import type { PlayerHub } from './player-hub.ts'
import type { Publisher } from './publisher.ts'
import type { PublisherHub } from './publisher-hub.ts'

/** What a connection needs of its worker. */
export interface ConnectionHost {
  readonly config: Config
  readonly logger: Logger
  readonly players: PlayerHub
  readonly publishers: PublisherHub
  /** Fields that name this server and this connection to the client (features of SRS's connect answer). */
  identity(connectionId: string, serverIp: string): Record<string, string | number>
  onClosed(connection: Connection): void
}

/** Where a connection is in its life; each phase but the last two has a deadline. */
type Phase = 'handshake' | 'connect' | 'idle' | 'active' | 'closed'

/** A publish of this connection: asked for, then granted. */
interface Publish {
  readonly publisher: Publisher
  readonly vhost: VhostConfig
  readonly askedAtMs: number
  granted: boolean
}

/** Replies that may wait for a peer that does not read them; beyond it nothing more is read from the peer. */
const maxUnreadReplyBytes = 64 * 1024

/** A peer that leaves its replies unread for this long is closed. */
const floodGraceMs = 10_000

/** The longest a publish waits for its back-source. */
const grantTimeoutMs = 10_000

/** One RTMP client: its socket, its session, and what it publishes or plays. */
export class Connection implements ServerSessionHandler {
  readonly id: string
  readonly ip: string
  readonly #host: ConnectionHost
  readonly #socket: Socket
  readonly #logger: Logger
  readonly #session: ServerSession
  readonly #publishes = new Map<number, Publish>()
  readonly #players = new Map<number, Player>()
  readonly #acceptedAtMs = monotonicMs()
  #phase: Phase = 'handshake'
  #admitted = false
  #pendingConnect: ConnectRequest | null = null
  /** Since when the peer leaves replies unread; 0: it reads. */
  #floodedAtMs = 0

  constructor(id: string, socket: Socket, host: ConnectionHost) {
    this.id = id
    this.ip = plainIp(socket.remoteAddress)
    this.#host = host
    this.#socket = socket
    this.#logger = host.logger.child({ cid: id })
    this.#session = new ServerSession(
      {
        chunkSize: host.config.chunkSize,
        windowAckSize: 2_500_000,
        maxMessageSize: host.config.maxMessageSize,
        maxChunkStreams: host.config.maxChunkStreams,
        identity: host.identity(id, plainIp(socket.localAddress)),
      },
      this,
    )
    this.#logger.info({ ip: this.ip, port: socket.remotePort }, 'accepted')
    socket.on('data', (bytes) => this.#receive(bytes as Buffer))
    socket.on('drain', () => this.#onDrain())
    socket.on('error', (error) =>
      this.close(isHangUp(error) ? null : error, `peer closed (${codeOf(error)})`),
    )
    socket.on('end', () => this.close(null))
    socket.on('close', () => this.close(null))
  }

  get role(): 'publish' | 'play' | null {
    if (this.#publishes.size > 0) return 'publish'
    return this.#players.size > 0 ? 'play' : null
  }

  /** The master's answer whether the server has room for this connection. */
  onAdmission(admitted: boolean): void {
    if (this.#phase === 'closed') return
    if (!admitted) {
      this.close(
        new WeirError('CONNECTION_LIMIT', `max_connections ${this.#host.config.maxConnections} is reached`),
      )
      return
    }
    this.#admitted = true
    const request = this.#pendingConnect
    this.#pendingConnect = null
    if (request !== null) this.#acceptConnect(request)
  }

  /** To be called about once a second: deadlines. */
  sweep(nowMs: number): void {
    const { handshakeTimeout, connectTimeout, actionTimeout } = this.#host.config
    const ageMs = nowMs - this.#acceptedAtMs
    if (this.#phase === 'handshake' && ageMs > handshakeTimeout * 1000) this.#timeOut('handshake')
    else if (this.#phase === 'connect' && ageMs > connectTimeout * 1000) this.#timeOut('connect')
    else if (this.#phase === 'idle' && ageMs > actionTimeout * 1000) this.#timeOut('publish or play')
    else if (this.#floodedAtMs > 0 && nowMs - this.#floodedAtMs > floodGraceMs) {
      this.close(new WeirError('RTMP_FLOOD', `replies are unread for ${floodGraceMs} ms`))
    } else this.#sweepPublishes(nowMs)
  }

  /** One line about what the connection does, for the periodic summary. */
  logSummary(): void {
    const role = this.role
    for (const { publisher } of this.#publishes.values()) {
      this.#logger.info(
        {
          ...this.#totals(),
          stream: displayName(publisher.stream),
          packets: publisher.packets,
          dropped: publisher.dropped,
        },
        `${role}: going on`,
      )
    }
    for (const player of this.#players.values()) {
      this.#logger.info(
        {
          ...this.#totals(),
          sid: player.pulled.subscription?.sourceId,
          stream: displayName(player.pulled.stream),
          paused: player.paused || undefined,
          dropped: player.viewer.dropped,
        },
        `${role}: going on`,
      )
    }
  }

  /** Applies a new configuration: what belongs to a vhost that is gone ends. */
  reload(config: Config): void {
    const streams = [
      ...[...this.#publishes.values()].map(({ publisher }) => publisher.stream),
      ...[...this.#players.values()].map(({ pulled }) => pulled.stream),
    ]
    for (const name of streams.map(vhostOfStream)) {
      if (vhostNameOf(config, name) !== name) {
        this.close(new WeirError('VHOST_UNKNOWN', `vhost ${name} was removed`))
      }
    }
  }

  /** Ends the connection; `reason` null: the peer or the server ended it in good order. */
  close(reason: Error | null, text = 'peer closed'): void {
    if (this.#phase === 'closed') return
    const phase = this.#phase
    this.#phase = 'closed'
    for (const { publisher } of this.#publishes.values()) this.#host.publishers.unpublish(publisher)
    for (const player of this.#players.values()) player.stop()
    this.#publishes.clear()
    this.#players.clear()
    this.#session.close()
    const totals = this.#totals()
    this.#socket.destroySoon()
    const story = { ...totals, phase: phase === 'active' ? undefined : phase }
    if (reason === null) this.#logger.info({ ...story, reason: text }, 'closed')
    else this.#logger.warn({ ...story, code: codeOf(reason), reason: messageOf(reason) }, 'closed')
    this.#host.onClosed(this)
  }

  // What the session asks and tells.

  send(bytes: Buffer): void {
    if (this.#phase === 'closed') return
    this.#socket.write(bytes)
    const isFull =
      this.#players.size > 0
        ? this.#socket.writableNeedDrain
        : this.#socket.writableLength > maxUnreadReplyBytes
    if (isFull && this.#floodedAtMs === 0) {
      this.#floodedAtMs = monotonicMs()
      this.#updateReading()
    }
  }

  onHandshake(kind: string): void {
    this.#phase = 'connect'
    this.#logger.info({ kind }, 'handshake done')
  }

  onConnect(request: ConnectRequest): void {
    if (this.#admitted) this.#acceptConnect(request)
    else this.#pendingConnect = request
  }

  onPublish(request: PublishRequest): void {
    const found = this.#find(request)
    if (found === null) {
      this.#refusePublish(request.streamId, 'VHOST_UNKNOWN', `no vhost ${request.vhost}`)
      return
    }
    const { vhost, stream } = found
    const { streamId } = request
    this.#logger.info({ stream: displayName(stream), style: request.style }, 'publish')
    const wish = {
      stream,
      ip: this.ip,
      connectionId: this.id,
      latency: vhost.publish.mr ? vhost.publish.mrLatency : 'auto',
    } as const
    const publisher = this.#host.publishers.publish(wish, {
      onAttached: () => this.#grantPublish(streamId),
      onRefused: (code, message) => {
        this.#publishes.delete(streamId)
        this.#refusePublish(streamId, code, message)
      },
      onRevoked: (code, message) => {
        this.#publishes.delete(streamId)
        this.#session.endPublish(streamId, 'NetStream.Publish.BadName', message)
        this.close(new WeirError('STREAM_REPLACED', `${code}: ${message}`))
      },
    })
    this.#publishes.set(streamId, { publisher, vhost, askedAtMs: monotonicMs(), granted: false })
  }

  onPlay(request: PlayRequest): void {
    const found = this.#find(request)
    if (found === null) {
      const message = `no vhost ${request.vhost}`
      this.#logger.warn({ code: 'VHOST_UNKNOWN', reason: message }, 'play refused')
      this.#run(() => this.#session.rejectPlay(request.streamId, 'NetStream.Play.Failed', message))
      return
    }
    const { vhost, stream } = found
    this.#players.get(request.streamId)?.stop()
    const pulled = this.#host.players.streamFor(stream, vhost)
    const framing = { chunkSize: this.#session.chunkSize, streamId: request.streamId }
    const player = new Player(pulled, framing, this.#socket, () => {
      this.close(new WeirError('PLAYER_STALLED', `nothing was read for ${this.#host.config.stallTimeout} s`))
    })
    this.#logger.info({ stream: displayName(stream), sid: pulled.subscription?.sourceId }, 'play')
    this.#run(() => this.#session.acceptPlay(request.streamId))
    this.#players.set(request.streamId, player)
    this.#phase = 'active'
    player.start()
  }

  onUnpublish(streamId: number): void {
    const publish = this.#publishes.get(streamId)
    if (publish === undefined) return
    this.#publishes.delete(streamId)
    this.#host.publishers.unpublish(publish.publisher)
    this.#logger.info({ ...this.#totals(), stream: displayName(publish.publisher.stream) }, 'unpublish')
  }

  onStop(streamId: number): void {
    const player = this.#players.get(streamId)
    if (player === undefined) return
    player.stop()
    this.#players.delete(streamId)
    this.#logger.info({ ...this.#totals(), stream: displayName(player.pulled.stream) }, 'stop')
  }

  onPause(streamId: number, paused: boolean): void {
    const player = this.#players.get(streamId)
    if (player === undefined || player.paused === paused) return
    if (paused) player.stop()
    else player.start()
    this.#logger.info({ stream: displayName(player.pulled.stream) }, paused ? 'pause' : 'unpause')
  }

  onPacket(streamId: number, packet: Packet): void {
    this.#publishes.get(streamId)?.publisher.relay(packet)
  }

  #receive(bytes: Buffer): void {
    if (this.#phase === 'closed') return
    this.#run(() => this.#session.push(bytes))
  }

  /** Runs a step of the session: what it throws with a code is the peer's fault and ends the connection. */
  #run(step: () => void): void {
    try {
      step()
    } catch (error) {
      if (!(error instanceof WeirError)) throw error
      this.close(error)
    }
    this.#updateReading()
  }

  /** Nothing is read from a peer that does not read, or whose request is not decided yet. */
  #updateReading(): void {
    if (this.#phase === 'closed') return
    const pause = this.#floodedAtMs > 0 || this.#session.waiting
    if (pause === this.#socket.isPaused()) return
    if (pause) this.#socket.pause()
    else this.#socket.resume()
  }

  #onDrain(): void {
    this.#floodedAtMs = 0
    this.#updateReading()
    for (const player of this.#players.values()) player.onDrain()
  }

  #acceptConnect(request: ConnectRequest): void {
    const vhost = vhostOf(this.#host.config, request.address.vhost)
    const story = { vhost: request.address.vhost, app: request.app, client: request.flashVer }
    if (vhost === null) {
      this.#session.rejectConnect('NetConnection.Connect.Rejected', `no vhost ${request.address.vhost}`)
      this.close(new WeirError('VHOST_UNKNOWN', `no vhost ${request.address.vhost}`))
      return
    }
    this.#phase = 'idle'
    this.#socket.setNoDelay(vhost.tcpNodelay)
    this.#logger.info(story, 'connect')
    this.#run(() => this.#session.acceptConnect())
  }

  /** The stream that a request names, and the vhost it belongs to. */
  #find(request: PublishRequest | PlayRequest): { vhost: VhostConfig; stream: StreamId } | null {
    const { config } = this.#host
    const name = vhostNameOf(config, request.vhost)
    const vhost = vhostOf(config, request.vhost)
    if (name === null || vhost === null) return null
    return { vhost, stream: streamIdOf({ vhost: name, app: request.app, stream: request.stream }) }
  }

  #grantPublish(streamId: number): void {
    const publish = this.#publishes.get(streamId)
    if (publish === undefined || publish.granted) return
    publish.granted = true
    this.#phase = 'active'
    this.#run(() => this.#session.acceptPublish(streamId))
  }

  #refusePublish(streamId: number, code: string, message: string): void {
    this.#logger.warn({ code, reason: message }, 'publish refused')
    this.#run(() => this.#session.rejectPublish(streamId, 'NetStream.Publish.BadName', message))
  }

  #sweepPublishes(nowMs: number): void {
    for (const { publisher, vhost, askedAtMs, granted } of this.#publishes.values()) {
      const { firstpktTimeout, normalTimeout } = vhost.publish
      const silentMs = nowMs - publisher.lastPacketAt
      if (!granted && nowMs - askedAtMs > grantTimeoutMs) {
        this.close(
          new WeirError('SOURCE_UNAVAILABLE', `no back-source took the stream in ${grantTimeoutMs} ms`),
        )
      } else if (granted && silentMs > (publisher.started ? normalTimeout : firstpktTimeout)) {
        this.close(new WeirError('RTMP_TIMEOUT', `the publisher sent nothing for ${Math.round(silentMs)} ms`))
      }
    }
  }

  #timeOut(what: string): void {
    const seconds = Math.round((monotonicMs() - this.#acceptedAtMs) / 1000)
    this.close(new WeirError('RTMP_TIMEOUT', `no ${what} in ${seconds} s`))
  }

  #totals() {
    return {
      in: this.#socket.bytesRead,
      out: this.#socket.bytesWritten,
      seconds: Math.round((monotonicMs() - this.#acceptedAtMs) / 1000),
    }
  }
}

/** An IPv4 client on a dual-stack port has an IPv6 address that holds its own; people look for its own. */
function plainIp(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/, '')
}

/** Many players and encoders just drop the connection when they are done: that is an end, not a failure. */
function isHangUp(error: Error): boolean {
  return ['ECONNRESET', 'EPIPE'].includes(codeOf(error))
}
