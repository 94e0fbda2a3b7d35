import type { WeirError } from '../../base/errors.ts'
import { noteBuffer } from '../../base/external-memory.ts'
import type { Logger } from '../../base/logger.ts'
import type { Config } from '../../config/config.ts'
import { vhostOf } from '../../config/vhost-of.ts'
import type { SourceNumber, ToMaster } from '../../ipc/contract.ts'
import { displayName, vhostOfStream } from '../../live/stream-key.ts'
import type { LiveStream } from '../live-stream.ts'
import { openRtmpLink } from './rtmp-link.ts'
import { type PullHost, UpstreamPull } from './upstream-pull.ts'
import { upstreamUrl } from './upstream-url.ts'

/** What pulls need of the process that holds their streams. */
export interface PullsOwner {
  readonly config: Config
  readonly logger: Logger
  send(message: ToMaster): void
}

/** The pulls of a back-source: one for each of its streams that another server has. */
export class Pulls {
  readonly #owner: PullsOwner
  readonly #pulls = new Map<SourceNumber, UpstreamPull>()

  constructor(owner: PullsOwner) {
    this.#owner = owner
  }

  /** Pulls a stream from these servers from now on. */
  pull(live: LiveStream, upstreams: readonly string[]): void {
    const known = this.#pulls.get(live.number)
    if (known !== undefined) {
      known.upstreams = upstreams
      return
    }
    const feed = {
      publish: (sourceId: string) => live.publish(sourceId),
      push: (packet: Parameters<LiveStream['push']>[0]) => {
        noteBuffer(packet.body.length)
        live.push(packet)
      },
      unpublish: () => live.unpublish(),
    }
    const pull = new UpstreamPull(feed, upstreams, this.#hostOf(live), openRtmpLink)
    this.#pulls.set(live.number, pull)
  }

  /** The stream is pulled no more: it is over, or somebody publishes it. */
  stop(source: SourceNumber): void {
    this.#pulls.get(source)?.stop()
    this.#pulls.delete(source)
  }

  has(source: SourceNumber): boolean {
    return this.#pulls.has(source)
  }

  #hostOf(live: LiveStream): PullHost {
    const { stream, number: source } = live
    const owner = this.#owner
    const logger = owner.logger.child({ stream: displayName(stream) })
    const initial = live.config.cluster
    const cluster = () => vhostOf(owner.config, vhostOfStream(stream))?.cluster ?? initial
    return {
      logger,
      get settings() {
        return cluster()
      },
      urlOn: (address) => upstreamUrl(address, stream, cluster().vhost),
      onMedia: () => owner.send({ t: 'opened', source }),
      onHealth: (address, ok) => owner.send({ t: 'upstream-health', address, ok }),
      onEnded: ({ code, message }: WeirError) => {
        logger.info({ code, reason: message }, 'pull: the stream is not there')
        this.stop(source)
        live.unpublish()
        owner.send({ t: 'pull-ended', source, code, message })
      },
    }
  }
}
