import type { IncomingMessage } from 'node:http'
import type { Refused } from '../../access/access-check.ts'
import type { Config } from '../../config/config.ts'
import { HlsAccess, type HlsAccessHost } from './hls-access.ts'
import { type HlsOwner, HlsStreams } from './hls-streams.ts'

/** Lets clients have the files of HLS that this server has written, if they may play the stream; see {@link HlsAccess}. */
export class HlsGuard {
  readonly #access: HlsAccess
  #streams: HlsStreams

  constructor(host: HlsAccessHost, config: Config) {
    this.#access = new HlsAccess(host)
    this.#streams = this.#streamsOf(config)
  }

  reload(config: Config): void {
    this.#streams = this.#streamsOf(config)
  }

  /** To be called about once a second. */
  sweep(): void {
    this.#access.sweep()
  }

  /** The streams that a file may be of, if there is anything to check; empty: anybody may have it. */
  ownersOf(path: string): HlsOwner[] {
    return this.#streams.ownersOf(path)
  }

  /** @returns why the client does not get the file; null: it may have it */
  check(request: IncomingMessage, owners: readonly HlsOwner[]): Promise<Refused | null> {
    return this.#access.check(request, owners)
  }

  #streamsOf(config: Config): HlsStreams {
    return new HlsStreams(config, (vhost) => this.#access.applies(vhost))
  }
}
