/**
 * `token_traverse`: an edge asks its origin about every client. There is no command for it: the edge connects as the
 * client did, and whether the origin accepts that is the verdict. SRS does the same, so that either may be either.
 */
import {
  type AccessAction,
  type AccessCheck,
  type AccessRequest,
  accepted,
  type Verdict,
} from '../access/access-check.ts'
import { codeOf, messageOf } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { VhostConfig } from '../config/config.ts'
import { type TlsTrust, tlsOptions } from '../config/tls-trust.ts'
import { peerOf } from '../rtmp/edge-identity.ts'
import { OriginChoice } from './origin-choice.ts'
import { Turns } from './turns.ts'

/** How long one origin may take, in milliseconds; SRS's. */
const originTimeoutMs = 3000

/** How long a client waits for its verdict, whatever happens, in milliseconds: less than its own deadlines. */
const checkTimeoutMs = 9000

/** Each costs a connection here and at the origin; clients beyond them wait, and beyond these are refused. */
const maxChecks = 128
const maxWaiting = 2048

/** What is asked of one origin. */
interface Question {
  readonly url: string
  readonly app: string
  readonly tcUrl: string
  readonly request: AccessRequest
  readonly trust: TlsTrust
}

export class TokenTraverse implements AccessCheck {
  readonly name = 'token_traverse'
  readonly #logger: Logger
  readonly #turns: Turns
  readonly #choices = new Map<string, OriginChoice>()

  /** @param atOnce clients that are asked about at the same time */
  constructor(logger: Logger, atOnce = maxChecks) {
    this.#logger = logger
    this.#turns = new Turns(atOnce, maxWaiting)
  }

  applies(action: AccessAction, { cluster }: VhostConfig): boolean {
    return action !== 'connect' && cluster.mode === 'remote' && cluster.tokenTraverse
  }

  async check(request: AccessRequest, { cluster }: VhostConfig): Promise<Verdict> {
    const origins = cluster.origin.map(rtmpOrigin).filter((origin) => origin !== null)
    if (origins.length === 0) return failed('no origin of this virtual host speaks RTMP')
    const inTime = AbortSignal.timeout(checkTimeoutMs)
    const turn = await this.#turns.take(inTime)
    if (turn === null) return failed('too many clients are being asked about')
    try {
      return await this.#askOneAfterTheOther(request, origins, cluster, inTime)
    } finally {
      turn.end()
    }
  }

  async #askOneAfterTheOther(
    request: AccessRequest,
    origins: readonly string[],
    trust: TlsTrust,
    inTime: AbortSignal,
  ): Promise<Verdict> {
    const choice = this.#choiceFor(request.vhost)
    for (const origin of choice.order(origins)) {
      if (inTime.aborted) break
      try {
        const cid = await this.#ask({ ...addressOf(origin, request), request, trust }, inTime)
        choice.wasUp(origin)
        this.#logger.info(
          { cid: request.clientId, origin, ...cid },
          `${request.action}: the origin accepts it`,
        )
        return accepted
      } catch (error) {
        if (codeOf(error) === 'RTMP_REJECTED') {
          choice.wasUp(origin)
          return { ok: false, code: 'TRAVERSE_REFUSED', message: `the origin refuses: ${messageOf(error)}` }
        }
        if (choice.wasDown(origin)) this.#tellOutage(origin, error)
      }
    }
    // Where the origins are is nothing for clients: that is in the log.
    return failed(inTime.aborted ? 'no origin answered in time' : 'no origin could be asked')
  }

  /** @returns the connection's id at the origin, if that tells it */
  async #ask(question: Question, signal: AbortSignal): Promise<{ originCid?: string }> {
    const { url, app, tcUrl, request, trust } = question
    // A worker without such clients does not load the client.
    const { RtmpClient } = await import('../client/rtmp-client.ts')
    const { pageUrl, swfUrl, connectArgs } = request
    const client = await RtmpClient.connect(url, {
      timeoutMs: originTimeoutMs,
      // A digest tells an origin nothing that decides about a client, and costs ten times the rest.
      handshake: 'simple',
      tcUrl,
      tls: await tlsOptions(trust),
      connectFields: {
        app,
        ...(pageUrl === '' ? {} : { pageUrl }),
        ...(swfUrl === '' ? {} : { swfUrl }),
      },
      ...(connectArgs === undefined ? {} : { connectArgs }),
      signal,
    })
    const { connectionId: originCid } = peerOf(client.information)
    client.close()
    return originCid === '' ? {} : { originCid }
  }

  #choiceFor(vhost: string): OriginChoice {
    let choice = this.#choices.get(vhost)
    if (choice === undefined) {
      choice = new OriginChoice()
      this.#choices.set(vhost, choice)
    }
    return choice
  }

  #tellOutage(origin: string, error: unknown): void {
    const about = { code: codeOf(error), origin, reason: messageOf(error) }
    this.#logger.warn(about, 'token_traverse: an origin could not be asked about a client')
  }
}

/** An origin's address as `rtmp://host[:port]`; null: it speaks something else. */
function rtmpOrigin(origin: string): string | null {
  if (/^rtmps?:\/\//.test(origin)) return origin.replace(/\/+$/, '')
  return origin.includes('://') ? null : `rtmp://${origin}`
}

/**
 * Where the origin is asked. The query goes along with the application, whether the client had it there or behind
 * the stream: a token counts in either place.
 */
function addressOf(
  origin: string,
  { app, param, tcUrl }: AccessRequest,
): Pick<Question, 'url' | 'app' | 'tcUrl'> {
  const path = app.replace(/[%?&#\s]/g, encodeURIComponent)
  const asRtmp = tcUrl.replace(/^(?:https?|wss?):\/\/([^/:[]*|\[[^\]]*\])(?::\d+)?/i, 'rtmp://$1')
  return {
    // A URL has a stream, of which nothing is said in connect.
    url: `${origin}/${path}/-`,
    app: `${path}${param}`,
    tcUrl: asRtmp.includes('?') ? asRtmp : `${asRtmp}${param}`,
  }
}

function failed(message: string): Verdict {
  return { ok: false, code: 'TRAVERSE_FAILED', message }
}
