import type { IncomingMessage } from 'node:http'
import type { AccessRequest, Refused } from '../../access/access-check.ts'
import type { AccessPipeline } from '../../access/access-pipeline.ts'
import type { Logger } from '../../base/logger.ts'
import { plainIp } from '../../base/plain-ip.ts'
import type { VhostConfig } from '../../config/config.ts'
import { displayName, streamId } from '../../live/stream-key.ts'
import { bearerOf, searchOf } from '../request-target.ts'
import type { HlsOwner } from './hls-streams.ts'

/** What the checks need of their worker. */
export interface HlsAccessHost {
  readonly logger: Logger
  readonly access: AccessPipeline
}

/**
 * Checks who asks for files of HLS as players of the stream are checked, with each file: a playlist opens nothing that
 * its reader could pass on. Other servers (callbacks) are not asked.
 */
export class HlsAccess {
  readonly #host: HlsAccessHost
  /** Since the last sweep. */
  #refused = 0

  constructor(host: HlsAccessHost) {
    this.#host = host
  }

  /** Whether there is anything to check in a virtual host. */
  applies(vhost: VhostConfig): boolean {
    return this.#host.access.appliesLocally('play', vhost)
  }

  /** To be called about once a second. */
  sweep(): void {
    this.#refused = 0
  }

  /**
   * @returns why the client does not get the file; null: it may have it. Where virtual hosts write into one directory
   *   under the same names, nobody can tell whose the file is: then all of them have to let the client in
   */
  async check(request: IncomingMessage, owners: readonly HlsOwner[]): Promise<Refused | null> {
    for (const { stream, vhost } of owners) {
      const verdict = await this.#host.access.checkLocally(accessRequest(request, stream), vhost)
      if (verdict.ok) continue
      this.#tell(request, streamId(stream), verdict)
      return verdict
    }
    return null
  }

  /** A crowd without tokens fills no log: one line a second is enough. */
  #tell({ socket }: IncomingMessage, stream: string, { code, message: reason }: Refused): void {
    this.#refused += 1
    if (this.#refused > 1) return
    const about = { ip: plainIp(socket.remoteAddress), stream: displayName(stream), code, reason }
    this.#host.logger.warn(about, 'hls: refused')
  }
}

function accessRequest(request: IncomingMessage, stream: HlsOwner['stream']): AccessRequest {
  const { referer, origin, host } = request.headers
  return {
    action: 'play',
    clientId: '',
    ip: plainIp(request.socket.remoteAddress),
    ...stream,
    param: searchOf(request),
    tcUrl: `http://${host ?? ''}/${stream.app}`,
    pageUrl: referer ?? origin ?? '',
    swfUrl: '',
    protocol: 'hls',
    ...bearerOf(request),
  }
}
