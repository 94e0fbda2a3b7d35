/**
 * The server's side of SRS's bandwidth check: it sends to the client for a while, then lets it send, and tells how fast
 * both were. Every step is a call without an answer, `[name, 0, null, object]`.
 */
import type { Socket } from 'node:net'
import { monotonicMs } from '../base/clock.ts'
import { WeirError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { nodeCrypto } from '../base/node-builtins.ts'
import type { VhostConfig } from '../config/config.ts'
import { type AmfRecord, type AmfValue, amfObject } from '../media/amf-value.ts'

/** What every name of the check begins with but for the client's last word. */
export const prefix = 'onSrsBandCheck'
export const clientsLastWord = 'finalClientPacket'

/** What a check needs of its connection. */
export interface CheckedPeer {
  readonly socket: Pick<Socket, 'writableLength' | 'bytesWritten' | 'bytesRead'>
  readonly logger: Logger
  readonly session: { sendCall(name: string, ...args: AmfValue[]): void }
  /** {@link BandwidthCheck.mustPause} may have changed. */
  updateReading(): void
  close(reason: Error | null, text?: string): void
}

export interface BandwidthCheckOptions {
  readonly limitKbps: number
  /** Of each direction. */
  readonly durationMs?: number
}

/** How often rates are looked at. */
const tickMs = 10
/** What is sent in a turn at most: others have connections too. */
const maxTurnBytes = 2 * 1024 * 1024
/** For the client's answer to a step. What was sent has to arrive before. */
const stepTimeoutMs = 15_000
/** Flash's queue is so full that it never says that it has stopped. */
const stopPatienceMs = 1000

const filler = amfObject({ data: 'x'.repeat(16 * 1024) })

/** What one direction came to. */
interface Sample {
  readonly bytes: number
  readonly ms: number
}

/** Whether a client asks for a check: who has a `key=` in the query of its application. */
export function bandwidthKey(
  { enabled, key }: VhostConfig['bandcheck'],
  param: string,
): 'none' | 'right' | 'wrong' {
  const given = enabled ? new URLSearchParams(param.slice(1)).get('key') : null
  if (given === null) return 'none'
  return key !== '' && nodeCrypto().timingSafeEqual(digest(given), digest(key)) ? 'right' : 'wrong'
}

function digest(text: string): Buffer {
  return nodeCrypto().createHash('sha256').update(text).digest()
}

export class BandwidthCheck {
  readonly #peer: CheckedPeer
  readonly #limitKbps: number
  readonly #durationMs: number
  readonly #startedAt = Date.now()
  #timer: NodeJS.Timeout | undefined
  /** The client's call that comes next, and what follows it. */
  #awaited: { readonly name: string; readonly next: () => void } | null = null
  #beganAtMs = 0
  #bytesBefore = 0
  #play: Sample = { bytes: 0, ms: 1 }
  #publish: Sample = { bytes: 0, ms: 1 }
  #mustPause = false

  constructor(peer: CheckedPeer, { limitKbps, durationMs = 3000 }: BandwidthCheckOptions) {
    this.#peer = peer
    this.#limitKbps = limitKbps
    this.#durationMs = durationMs
  }

  /** Whether the client has sent more than it may by now. */
  get mustPause(): boolean {
    return this.#mustPause
  }

  /** The connection is accepted. */
  start(): void {
    this.#say('StartPlayBytes', this.#terms())
    this.#await(`${prefix}StartingPlayBytes`, () => {
      this.#begin(this.#peer.socket.bytesWritten)
      this.#playOn()
    })
  }

  /** The connection is closed. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#awaited = null
  }

  onCall(name: string): void {
    if (this.#awaited?.name !== name) return
    const { next } = this.#awaited
    this.stop()
    next()
  }

  #playOn(): void {
    const { socket } = this.#peer
    const elapsedMs = monotonicMs() - this.#beganAtMs
    const sent = (): number => socket.bytesWritten - this.#bytesBefore
    if (elapsedMs >= this.#durationMs) {
      this.#endPlay(sent())
      return
    }
    const goal = Math.min(this.#allowedBytes(elapsedMs), sent() + maxTurnBytes)
    // What the system does not take at once would wait here.
    while (socket.writableLength === 0 && sent() < goal) this.#say('Playing', filler)
    this.#timer = setTimeout(() => this.#playOn(), tickMs)
  }

  #endPlay(bytes: number): void {
    this.#say('StopPlayBytes', this.#outcome(bytes))
    this.#await(`${prefix}StoppedPlayBytes`, () => {
      // Only now it has all arrived.
      this.#play = { bytes, ms: Math.max(1, monotonicMs() - this.#beganAtMs) }
      this.#startPublish()
    })
  }

  #startPublish(): void {
    this.#say('StartPublishBytes', this.#terms())
    this.#await(`${prefix}StartingPublishBytes`, () => {
      this.#begin(this.#peer.socket.bytesRead)
      this.#publishOn()
    })
  }

  #publishOn(): void {
    const elapsedMs = monotonicMs() - this.#beganAtMs
    const bytes = this.#peer.socket.bytesRead - this.#bytesBefore
    const isOver = elapsedMs >= this.#durationMs
    this.#mustPause = !isOver && bytes > this.#allowedBytes(elapsedMs)
    this.#peer.updateReading()
    if (!isOver) {
      this.#timer = setTimeout(() => this.#publishOn(), tickMs)
      return
    }
    this.#publish = { bytes, ms: elapsedMs }
    this.#say('StopPublishBytes', this.#outcome(bytes))
    this.#await(`${prefix}StoppedPublishBytes`, () => this.#finish())
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#finish(), stopPatienceMs)
  }

  #finish(): void {
    const [play, publish] = [this.#play, this.#publish]
    const result = {
      ...{ play_kbps: kbpsOf(play), publish_kbps: kbpsOf(publish) },
      ...{ play_bytes: play.bytes, publish_bytes: publish.bytes },
      ...{ play_time: Math.round(play.ms), publish_time: Math.round(publish.ms) },
    }
    this.#peer.logger.info(result, 'bandwidth check')
    this.#say('Finished', amfObject({ start_time: this.#startedAt, end_time: Date.now(), ...result }))
    this.#await(clientsLastWord, () => this.#peer.close(null, 'the bandwidth check is done'))
  }

  #begin(bytes: number): void {
    this.#beganAtMs = monotonicMs()
    this.#bytesBefore = bytes
  }

  /** A thousand bits are 125 bytes. */
  #allowedBytes(elapsedMs: number): number {
    return (this.#limitKbps / 8) * elapsedMs
  }

  #say(step: string, data: AmfRecord): void {
    this.#peer.session.sendCall(prefix + step, data)
  }

  #await(name: string, next: () => void): void {
    this.#awaited = { name, next }
    this.#timer = setTimeout(() => {
      const message = `${name} of the bandwidth check did not come in ${stepTimeoutMs} ms`
      this.#peer.close(new WeirError('RTMP_TIMEOUT', message))
    }, stepTimeoutMs)
  }

  #terms(): AmfRecord {
    return amfObject({ limit_kbps: this.#limitKbps, duration_ms: this.#durationMs, interval_ms: 0 })
  }

  #outcome(bytes: number): AmfRecord {
    return amfObject({
      ...{ duration_ms: this.#durationMs, interval_ms: 0 },
      ...{ duration_delta: Math.round(monotonicMs() - this.#beganAtMs), bytes_delta: bytes },
    })
  }
}

function kbpsOf({ bytes, ms }: Sample): number {
  return Math.round((8 * bytes) / ms)
}
