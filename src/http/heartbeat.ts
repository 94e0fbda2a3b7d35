import { monotonicMs } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { Outage } from '../base/outage.ts'
import type { Config } from '../config/config.ts'
import { endpointName } from '../config/endpoints.ts'

/** For one heartbeat, in milliseconds. */
const timeoutMs = 5000

/** What a heartbeat needs of its worker. */
export interface HeartbeatHost {
  readonly config: Config
  readonly logger: Logger
  /** The machine's address, as `stats { network }` says. */
  readonly ip: string
  /** What the API says under /api/v1/summaries. */
  summaries(): Promise<object>
}

/**
 * Tells another server regularly that this one lives (`heartbeat`). One is on its way at a time: a server that does
 * not answer is told less often, and never costs more than one request.
 */
export class Heartbeat {
  readonly #host: HeartbeatHost
  readonly #outage = new Outage()
  #timer: NodeJS.Timeout | null = null
  #intervalMs = 0
  /** Ends the request that is on its way; null: there is none. */
  #beating: AbortController | null = null

  constructor(host: HeartbeatHost) {
    this.#host = host
  }

  /** Begins, ends, or changes its pace, as the configuration in force says. The first heartbeat is sent at once. */
  apply(): void {
    const { enabled, interval } = this.#host.config.heartbeat
    const intervalMs = enabled ? interval * 1000 : 0
    if (intervalMs === this.#intervalMs) return
    this.close()
    this.#intervalMs = intervalMs
    if (intervalMs === 0) return
    // Timers run by a clock that never jumps.
    this.#timer = setInterval(() => void this.#beat(), intervalMs)
    void this.#beat()
  }

  close(): void {
    this.#intervalMs = 0
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    this.#beating?.abort()
    this.#beating = null
  }

  async #beat(): Promise<void> {
    if (this.#beating !== null) return
    const beating = new AbortController()
    this.#beating = beating
    try {
      await this.#post(beating.signal)
      const failures = this.#outage.end()
      if (failures > 0) this.#host.logger.info({ failures }, 'heartbeat: it arrives again')
    } catch (error) {
      if (!beating.signal.aborted) this.#onFailure(error)
    } finally {
      if (this.#beating === beating) this.#beating = null
    }
  }

  async #post(signal: AbortSignal): Promise<void> {
    // Few servers have heartbeats: the others do not load it.
    const { request } = await import('undici')
    const { url } = this.#host.config.heartbeat
    const { statusCode, body } = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(await this.#message()),
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    })
    // The answer says nothing; a little of it is read so that the connection can be used again.
    await body.dump({ limit: 16 * 1024 })
    if (statusCode < 200 || statusCode > 299) throw new Error(`the answer has status ${statusCode}`)
  }

  async #message(): Promise<object> {
    const { config, ip } = this.#host
    const { deviceId, summaries, ports } = config.heartbeat
    return {
      ...{ device_id: deviceId, ip },
      ...(summaries ? { summaries: { data: await this.#host.summaries() } } : {}),
      ...(ports ? listensOf(config) : {}),
    }
  }

  #onFailure(error: unknown): void {
    if (!this.#outage.fail(monotonicMs())) return
    const { url } = this.#host.config.heartbeat
    const { failures } = this.#outage
    const timedOut = error instanceof Error && error.name === 'TimeoutError'
    const reason = timedOut ? `no answer within ${timeoutMs} ms` : messageOf(error)
    this.#host.logger.warn(
      { code: 'HEARTBEAT', url: withoutQuery(url), reason, failures },
      'heartbeat: it does not arrive',
    )
  }
}

/** As SRS tells them (`ports on`). */
function listensOf({ listen, httpServer, httpApi }: Config): object {
  const namesOf = (endpoints: Config['listen']): string[] => endpoints.map(endpointName)
  return {
    rtmp: namesOf(listen),
    ...(httpServer.enabled ? { http: namesOf(httpServer.listen) } : {}),
    ...(httpApi.enabled ? { api: namesOf(httpApi.listen) } : {}),
  }
}

/** Queries may hold a secret. */
function withoutQuery(url: string): string {
  return url.replace(/\?.*$/s, '')
}
