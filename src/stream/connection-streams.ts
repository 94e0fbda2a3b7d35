import type { AccessAction, AccessRequest, Refused, Verdict } from '../access/access-check.ts'
import type { AccessPipeline } from '../access/access-pipeline.ts'
import type { Visits } from '../access/visits.ts'
import { isErrorCode, WeirError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { Config, VhostConfig } from '../config/config.ts'
import { vhostNameOf, vhostOf } from '../config/vhost-of.ts'
import type { StreamId } from '../ipc/contract.ts'
import { displayName, streamId as streamIdOf, vhostOfStream } from '../live/stream-key.ts'
import type { ViewerSocket } from '../live/viewer.ts'
import type { Packet } from '../media/packet.ts'
import type { PlayerHub } from '../pull/player-hub.ts'
import { type ForwardRoute, hopOf, isLoop } from '../rtmp/forward-route.ts'
import { type RedirectedStream, redirectTo } from '../rtmp/redirect.ts'
import type { ConnectRequest, PlayRequest, PublishRequest } from '../rtmp/server-requests.ts'
import type { ServerSession } from '../rtmp/server-session.ts'
import { Player } from './player.ts'
import { PublishSlot } from './publish-slot.ts'
import type { PublisherHub, PublishWish } from './publisher-hub.ts'
import { rtmpFormat } from './rtmp-muxer.ts'

/** What a worker shares among its connections. */
export interface StreamHubs {
  readonly config: Config
  readonly serverId: string
  readonly access: AccessPipeline
  readonly players: PlayerHub
  readonly publishers: PublisherHub
}

/** The connection that publishes and plays, as this part of it needs it. */
export interface StreamsOwner {
  readonly id: string
  readonly ip: string
  readonly logger: Logger
  readonly session: ServerSession
  readonly socket: ViewerSocket
  readonly visits: Visits
  /** What is asked about the connection. */
  accessRequest(
    action: AccessAction,
    about: Pick<AccessRequest, 'vhost' | 'app' | 'stream' | 'param'>,
  ): AccessRequest
  /** Whether the peer can still send. */
  readonly isConnected: boolean
  /** Runs a step of the session whose failure is the peer's fault. */
  run(step: () => void): void
  /** @param text why, if `reason` is null: the end is in good order */
  close(reason: Error | null, text?: string): void
  /** Ends the time in which the peer is not read from so that more comes together. */
  readOn(): void
  /** Something changed that decides whether the peer is read from. */
  updateReading(): void
  /** Bytes and seconds so far, for log lines. */
  totals(): Record<string, number>
  /** The same with the rates since the last time, for lines that are repeated. */
  progress(): Record<string, number>
  /** What it was accepted with; null before. */
  readonly connectRequest: ConnectRequest | null
  /** It asked for a stream of this virtual host, which need not be the one it connected to. */
  onVhost(name: string): void
  /** It began to publish or play; or the last publish or play ended. */
  onBusy(): void
  onIdle(): void
}

/** A publish or a play, in SRS's words: `fmle-publish`, `rtmp-play`. */
export interface Activity {
  readonly stream: StreamId
  readonly type: string
}

/** The stream that a request names, and the virtual host it belongs to. */
interface Found {
  readonly vhost: VhostConfig
  readonly stream: StreamId
}

/** Publish and play requests a connection may make between two sweeps; each costs other processes work. */
const maxRequestsPerSweep = 50

/** What one connection publishes and plays, by message stream id. */
export class ConnectionStreams {
  readonly #hubs: StreamHubs
  readonly #owner: StreamsOwner
  readonly #publishes = new Map<number, PublishSlot>()
  readonly #players = new Map<number, Player>()
  #requests = 0

  constructor(hubs: StreamHubs, owner: StreamsOwner) {
    this.#hubs = hubs
    this.#owner = owner
  }

  get role(): 'publish' | 'play' | null {
    if (this.#publishes.size > 0) return 'publish'
    return this.#players.size > 0 ? 'play' : null
  }

  /** What it does, as the API tells it: its first publish or play; null: nothing. */
  get activity(): Activity | null {
    for (const { publisher, style } of this.#publishes.values()) {
      return { stream: publisher.stream, type: `${style}-publish` }
    }
    for (const { pulled } of this.#players.values()) return { stream: pulled.stream, type: 'rtmp-play' }
    return null
  }

  /** How long its socket rests after a read, in whole milliseconds; 0: not at all. */
  get readWaitMs(): number {
    let waitMs = Number.POSITIVE_INFINITY
    for (const { publisher } of this.#publishes.values()) waitMs = Math.min(waitMs, publisher.readWaitMs)
    return waitMs === Number.POSITIVE_INFINITY ? 0 : waitMs
  }

  /** Whether what the peer sends cannot go on to a back-source at the moment. */
  full(nowMs: number): boolean {
    for (const { publisher } of this.#publishes.values()) if (publisher.full(nowMs)) return true
    return false
  }

  publish(request: PublishRequest): void {
    const { streamId } = request
    const found = this.#find(request)
    if (found === null) {
      this.#refusePublish(streamId, 'VHOST_UNKNOWN', `no vhost ${request.vhost}`)
      return
    }
    this.#owner.logger.info({ stream: displayName(found.stream), style: request.style }, 'publish')
    const wish = this.#wishFor(request, found)
    if (isLoop(wish.origin.route, hopOf(this.#hubs.serverId, found.stream))) {
      // The server that forwards looks for the code, to stop forwarding.
      this.#refusePublish(streamId, 'FORWARD_LOOP', 'FORWARD_LOOP: the stream was forwarded from here')
      return
    }
    this.#ifAllowed('publish', request, found, {
      accept: () => this.#publish(request, found, wish),
      refuse: (code, message) => this.#refusePublish(streamId, code, message),
      room: () => this.#hubs.publishers.hasRoom(wish),
    })
  }

  #publish(request: PublishRequest, found: Found, wish: PublishWish): void {
    const { streamId, style } = request
    const publisher = this.#hubs.publishers.publish(wish, {
      isConnected: () => this.#owner.isConnected,
      readOn: () => this.#owner.readOn(),
      onAttached: () => this.#grant(streamId),
      onDrain: () => this.#owner.updateReading(),
      onRefused: (code, message, redirect) => {
        this.#publishes.delete(streamId)
        this.#owner.visits.end(streamId)
        if (redirect !== undefined) {
          this.#sendOn('publish', streamId, { ...request, vhost: vhostOfStream(found.stream) }, redirect)
        } else this.#refusePublish(streamId, code, message)
      },
      onRevoked: (code, message) => {
        const isGranted = this.#publishes.get(streamId)?.granted ?? false
        this.#publishes.delete(streamId)
        if (!isGranted) {
          this.#owner.visits.end(streamId)
          this.#refusePublish(streamId, code, message)
          return
        }
        this.#owner.session.endPublish(streamId, 'NetStream.Publish.BadName', message)
        this.#owner.close(new WeirError(isErrorCode(code) ? code : 'STREAM_REPLACED', message))
      },
    })
    this.#publishes.set(streamId, new PublishSlot(publisher, found.vhost, style))
  }

  play(request: PlayRequest): void {
    const { streamId } = request
    const found = this.#find(request)
    if (found === null) this.#refusePlay(streamId, 'VHOST_UNKNOWN', `no vhost ${request.vhost}`)
    else if (this.#route.includes(hopOf(this.#hubs.serverId, found.stream))) {
      this.#refusePlay(streamId, 'UPSTREAM_LOOP', 'UPSTREAM_LOOP: this server has the stream from there')
    } else {
      this.#ifAllowed('play', request, found, {
        accept: () => this.#play(streamId, found),
        refuse: (code, message) => this.#refusePlay(streamId, code, message),
      })
    }
  }

  #play(streamId: number, { vhost, stream }: Found): void {
    const { logger, session, socket } = this.#owner
    this.#players.get(streamId)?.stop()
    const find = () => {
      const now = vhostOf(this.#hubs.config, vhostOfStream(stream)) ?? vhost
      return this.#hubs.players.streamFor(stream, now, this.#route)
    }
    const { stallTimeout } = this.#hubs.config
    const player = new Player(find, rtmpFormat(session.chunkSize, streamId), socket, () => {
      this.#owner.close(new WeirError('PLAYER_STALLED', `nothing was read for ${stallTimeout} s`))
    })
    const sid = player.pulled.subscription?.sourceId
    const waits = sid === undefined ? { waiting: true } : { sid }
    logger.info({ stream: displayName(stream), ...waits }, 'play')
    this.#owner.run(() => session.acceptPlay(streamId))
    this.#players.set(streamId, player)
    this.#owner.onBusy()
    player.start()
  }

  unpublish(streamId: number): void {
    const publish = this.#publishes.get(streamId)
    if (publish === undefined) return
    this.#publishes.delete(streamId)
    this.#hubs.publishers.unpublish(publish.publisher)
    const { stream, packets, dropped } = publish.publisher
    const story = { stream: displayName(stream), packets, dropped, ...this.#owner.totals() }
    this.#owner.logger.info(story, 'unpublish')
    this.#owner.visits.end(streamId)
    if (this.role === null) this.#owner.onIdle()
  }

  stop(streamId: number): void {
    const player = this.#players.get(streamId)
    if (player === undefined) return
    player.stop()
    this.#players.delete(streamId)
    const { pulled, viewer } = player
    const story = { stream: displayName(pulled.stream), dropped: viewer.dropped, ...this.#owner.totals() }
    this.#owner.logger.info(story, 'stop')
    this.#owner.visits.end(streamId)
    if (this.role === null) this.#owner.onIdle()
  }

  pause(streamId: number, paused: boolean): void {
    const player = this.#players.get(streamId)
    if (player === undefined || player.paused === paused) return
    if (paused) player.stop()
    else player.start()
    this.#owner.logger.info({ stream: displayName(player.pulled.stream) }, paused ? 'pause' : 'unpause')
  }

  relay(streamId: number, packet: Packet): void {
    this.#publishes.get(streamId)?.publisher.relay(packet)
  }

  onDrain(): void {
    for (const player of this.#players.values()) player.onDrain()
  }

  /** To be called about once a second. */
  sweep(nowMs: number): void {
    this.#requests = 0
    for (const publish of this.#publishes.values()) {
      const overdue = publish.overdue(nowMs)
      if (overdue !== null) this.#owner.close(overdue)
    }
  }

  /** @returns the vhost that this connection uses and that a new configuration does not have, or null */
  missingVhost(config: Config): string | null {
    const streams = [
      ...[...this.#publishes.values()].map(({ publisher }) => publisher.stream),
      ...[...this.#players.values()].map(({ pulled }) => pulled.stream),
    ]
    return streams.map(vhostOfStream).find((name) => vhostNameOf(config, name) !== name) ?? null
  }

  /** One line about each publish and play, for the periodic summary. */
  logSummary(): void {
    const progress = this.#owner.progress()
    for (const { msg, story } of this.#stories()) this.#owner.logger.info({ ...story, ...progress }, msg)
  }

  /** What it publishes or plays, for the last line of its log. */
  lastStory(): Record<string, unknown> {
    const [first, ...others] = this.#stories()
    return others.length === 0 ? { ...first?.story } : { ...first?.story, streams: others.length + 1 }
  }

  #stories(): { msg: string; story: Record<string, unknown> }[] {
    const publishes = [...this.#publishes.values()].map(({ publisher, granted }) => {
      const { packets, dropped } = publisher
      const story = { stream: displayName(publisher.stream), packets, dropped }
      return { msg: granted ? 'publish: going on' : 'publish: waiting for its back-source', story }
    })
    const plays = [...this.#players.values()].map(({ pulled, viewer, paused }) => {
      const sid = pulled.subscription?.sourceId
      const story = { stream: displayName(pulled.stream), sid, dropped: viewer.dropped }
      const state = sid === undefined ? 'waiting for the stream' : 'going on'
      return { msg: `play: ${paused ? 'paused' : state}`, story }
    })
    return [...publishes, ...plays]
  }

  /** The connection is gone, and all this with it. */
  close(): void {
    for (const { publisher } of this.#publishes.values()) this.#hubs.publishers.unpublish(publisher)
    for (const player of this.#players.values()) player.stop()
    this.#publishes.clear()
    this.#players.clear()
  }

  /** Goes on at once where nobody has to be asked, else when that is decided. */
  #ifAllowed(
    action: 'publish' | 'play',
    { streamId, app, stream, param }: PublishRequest | PlayRequest,
    { vhost, stream: id }: Found,
    outcome: {
      accept(): void
      refuse(code: string, message: string): void
      room?(): Promise<Verdict>
    },
  ): void {
    if (!this.#hubs.access.applies(action, vhost)) {
      outcome.accept()
      return
    }
    const name = vhostOfStream(id)
    const asked = this.#owner.accessRequest(action, { vhost: name, app, stream, param })
    const decided = (refused: Refused | null): void => {
      if (refused?.redirect !== undefined) this.#sendOn(action, streamId, asked, refused.redirect)
      else if (refused !== null) outcome.refuse(refused.code, refused.message)
      else if (vhostNameOf(this.#hubs.config, name) === name) outcome.accept()
      else {
        this.#owner.visits.end(streamId)
        outcome.refuse('VHOST_UNKNOWN', `vhost ${name} was removed`)
      }
    }
    this.#owner.visits.ask(streamId, asked, vhost, decided, outcome.room)
  }

  /** Of a server that plays: where the stream goes from there. It may be to many servers. */
  get #route(): ForwardRoute {
    return this.#owner.connectRequest?.route ?? []
  }

  #wishFor({ param }: PublishRequest, { vhost, stream }: Found): PublishWish {
    const { id, ip, connectRequest } = this.#owner
    const { tcUrl = '', route = [] } = connectRequest ?? {}
    const latency = vhost.publish.mr ? vhost.publish.mrLatency : 0
    return { stream, ip, connectionId: id, param, origin: { tcUrl, route }, latency }
  }

  #find(request: PublishRequest | PlayRequest): Found | null {
    this.#requests += 1
    if (this.#requests > maxRequestsPerSweep) {
      throw new WeirError(
        'RTMP_FLOOD',
        `more than ${maxRequestsPerSweep} publish and play requests in a second`,
      )
    }
    const { config } = this.#hubs
    const name = vhostNameOf(config, request.vhost)
    const vhost = vhostOf(config, request.vhost)
    if (name === null || vhost === null) return null
    this.#owner.onVhost(request.vhost)
    return { vhost, stream: streamIdOf({ vhost: name, app: request.app, stream: request.stream }) }
  }

  #grant(streamId: number): void {
    const publish = this.#publishes.get(streamId)
    if (publish === undefined || publish.granted) return
    publish.granted = true
    this.#owner.logger.info({ stream: displayName(publish.publisher.stream) }, 'publish accepted')
    this.#owner.onBusy()
    this.#owner.run(() => this.#owner.session.acceptPublish(streamId))
  }

  /** Another server has what the client asks for, and the client has to connect to that one. */
  #sendOn(action: 'publish' | 'play', streamId: number, asked: RedirectedStream, server: string): void {
    const { session, logger } = this.#owner
    const redirect = redirectTo(server, asked)
    logger.info({ redirect: redirect.url }, `${action}: the client is sent to another server`)
    this.#owner.run(() => {
      if (action === 'play') session.redirectPlay(streamId, redirect)
      else session.redirectPublish(streamId, redirect)
    })
    this.#owner.close(null, 'sent to another server')
  }

  #refusePlay(streamId: number, code: string, message: string): void {
    const { logger, session } = this.#owner
    logger.warn({ code, reason: message }, 'play refused')
    this.#owner.run(() => session.rejectPlay(streamId, 'NetStream.Play.Failed', message))
  }

  #refusePublish(streamId: number, code: string, message: string): void {
    this.#owner.logger.warn({ code, reason: message }, 'publish refused')
    this.#owner.run(() => this.#owner.session.rejectPublish(streamId, 'NetStream.Publish.BadName', message))
  }
}
