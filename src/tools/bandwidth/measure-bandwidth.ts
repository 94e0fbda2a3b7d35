/** The client's side of SRS's bandwidth check; the server's is in stream/bandwidth-check.ts. */
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import { monotonicMs } from '../../base/clock.ts'
import { WeirError } from '../../base/errors.ts'
import { RtmpClient } from '../../client/rtmp-client.ts'
import { type AmfRecord, type AmfValue, amfObject, asRecord, getNumber } from '../../media/amf-value.ts'

/** One direction, as the server has measured it. */
export interface Bandwidth {
  readonly kbps: number
  readonly bytes: number
  readonly ms: number
}

export interface BandwidthResult {
  /** From the server to here. */
  readonly down: Bandwidth
  /** From here to the server. */
  readonly up: Bandwidth
}

export interface MeasureOptions {
  /** For the server's first word, which comes right after connect, in milliseconds; 3,000 by default. */
  readonly firstTimeoutMs?: number
  /** Between any two others; 20,000 by default. */
  readonly timeoutMs?: number
}

const prefix = 'onSrsBandCheck'
const tickMs = 10
const filler = amfObject({ data: 'x'.repeat(16 * 1024) })

/**
 * Has a server check the bandwidth between it and this machine.
 * @param url `rtmp://host[:port]/app?key=K`, with `&vhost=V` if the check is that of another virtual host
 * @throws WeirError what {@link RtmpClient.connect} throws (RTMP_REJECTED: the key is wrong, or a check was made a moment
 *   ago), BANDWIDTH_ABSENT, RTMP_CLOSED, RTMP_TIMEOUT
 */
export async function measureBandwidth(url: string, options: MeasureOptions = {}): Promise<BandwidthResult> {
  const { firstTimeoutMs = 3000, timeoutMs = 20_000 } = options
  const dialogue = new Dialogue(firstTimeoutMs, timeoutMs)
  const client = await RtmpClient.connect(asStreamUrl(url), {
    onCall: (name, [data]) => dialogue.onCall(name, data),
    onClose: (error) => dialogue.onClose(error),
  })
  try {
    return await dialogue.run(client)
  } finally {
    client.close()
  }
}

/** The client wants a stream in its URL; the check has none. */
function asStreamUrl(url: string): string {
  return `${url.replace(/\/+$/, '')}/check`
}

class Dialogue {
  readonly #firstTimeoutMs: number
  readonly #timeoutMs: number
  readonly #done = Promise.withResolvers<BandwidthResult>()
  #client: RtmpClient | null = null
  #timer: NodeJS.Timeout | undefined
  #hasBegun = false
  #isPublishing = false
  /** Calls that came while the connect was being answered. */
  readonly #early: [name: string, data: AmfValue][] = []

  constructor(firstTimeoutMs: number, timeoutMs: number) {
    this.#firstTimeoutMs = firstTimeoutMs
    this.#timeoutMs = timeoutMs
    // Whoever runs the dialogue hears of it.
    this.#done.promise.catch(() => {})
  }

  async run(client: RtmpClient): Promise<BandwidthResult> {
    this.#client = client
    this.#restartTimer()
    for (const [name, data] of this.#early.splice(0)) this.onCall(name, data)
    try {
      return await this.#done.promise
    } finally {
      clearTimeout(this.#timer)
      this.#isPublishing = false
    }
  }

  onClose(error: Error | null): void {
    this.#done.reject(error ?? new WeirError('RTMP_CLOSED', 'the server closed the connection'))
  }

  onCall(name: string, data: AmfValue): void {
    if (this.#client === null) {
      this.#early.push([name, data])
      return
    }
    this.#hasBegun ||= name === `${prefix}StartPlayBytes`
    this.#restartTimer()
    switch (name) {
      case `${prefix}StartPlayBytes`:
        this.#say(`${prefix}StartingPlayBytes`)
        break
      case `${prefix}StopPlayBytes`:
        this.#say(`${prefix}StoppedPlayBytes`)
        break
      case `${prefix}StartPublishBytes`:
        this.#say(`${prefix}StartingPublishBytes`)
        this.#isPublishing = true
        this.#publish(this.#client, getNumber(data, 'limit_kbps')).catch((error: unknown) =>
          this.#done.reject(error),
        )
        break
      case `${prefix}StopPublishBytes`:
        this.#isPublishing = false
        this.#say(`${prefix}StoppedPublishBytes`)
        break
      case `${prefix}Finished`:
        this.#finish(asRecord(data))
        break
    }
  }

  /** Sends as fast as the server allows, until it has enough. */
  async #publish(client: RtmpClient, limitKbps: number | null): Promise<void> {
    const beganAtMs = monotonicMs()
    const before = client.bytesSent
    const bytesPerMs = (limitKbps ?? Number.POSITIVE_INFINITY) / 8
    while (this.#isPublishing) {
      if (client.bytesSent - before > bytesPerMs * (monotonicMs() - beganAtMs)) await delay(tickMs)
      else {
        client.call(`${prefix}Publishing`, filler)
        await client.drained()
        await nextTurn()
      }
    }
  }

  #finish(data: AmfRecord | null): void {
    this.#say('finalClientPacket')
    const of = (direction: 'play' | 'publish'): Bandwidth => ({
      kbps: getNumber(data, `${direction}_kbps`) ?? 0,
      bytes: getNumber(data, `${direction}_bytes`) ?? 0,
      ms: getNumber(data, `${direction}_time`) ?? 0,
    })
    this.#done.resolve({ down: of('play'), up: of('publish') })
  }

  #say(name: string): void {
    this.#client?.call(name, amfObject({}))
  }

  #restartTimer(): void {
    clearTimeout(this.#timer)
    const timeoutMs = this.#hasBegun ? this.#timeoutMs : this.#firstTimeoutMs
    this.#timer = setTimeout(() => {
      const silence = `the server said nothing for ${timeoutMs} ms`
      const absent = 'the server has begun no check: is bandcheck { } enabled, and the key in the URL?'
      this.#done.reject(
        this.#hasBegun ? new WeirError('RTMP_TIMEOUT', silence) : new WeirError('BANDWIDTH_ABSENT', absent),
      )
    }, timeoutMs)
  }
}
