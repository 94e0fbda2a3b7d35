import { monotonicMs } from '../base/clock.ts'
import { WeirError } from '../base/errors.ts'
import type { VhostConfig } from '../config/config.ts'
import type { PublishStyle } from '../rtmp/server-streams.ts'
import type { Publisher } from './publisher.ts'

/** The longest a publish waits for its back-source, in milliseconds. */
const grantTimeoutMs = 20_000

/** One publish of a connection: asked for, then granted, then supposed to send. */
export class PublishSlot {
  readonly publisher: Publisher
  readonly style: PublishStyle
  readonly #vhost: VhostConfig
  readonly #askedAtMs = monotonicMs()
  granted = false

  constructor(publisher: Publisher, vhost: VhostConfig, style: PublishStyle) {
    this.publisher = publisher
    this.style = style
    this.#vhost = vhost
  }

  /** @returns why the publish has taken too long or is silent for too long, or null */
  overdue(nowMs: number): WeirError | null {
    if (!this.granted) {
      if (nowMs - this.#askedAtMs <= grantTimeoutMs) return null
      return new WeirError('SOURCE_UNAVAILABLE', `no back-source took the stream in ${grantTimeoutMs} ms`)
    }
    const { firstpktTimeout, normalTimeout } = this.#vhost.publish
    const { started, lastPacketAt, readWaitMs } = this.publisher
    const silentMs = nowMs - lastPacketAt
    // What it has sent while its socket rests has not been read.
    if (silentMs <= (started ? normalTimeout : firstpktTimeout) + readWaitMs) return null
    return new WeirError('RTMP_TIMEOUT', `the publisher sent nothing for ${Math.round(silentMs)} ms`)
  }
}
