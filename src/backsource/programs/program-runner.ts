import { ownClientKind } from '../../base/own-client.ts'
import type { VhostConfig } from '../../config/config.ts'
import type { ProgramFacts } from '../../ipc/program-facts.ts'
import { ProgramSet, type WantedProgram } from '../../programs/program-set.ts'
import type { OutputHost } from '../stream-output.ts'
import { execCommands } from './exec-commands.ts'
import { transcodeCommands } from './transcode-commands.ts'

/** Runs what a virtual host wants to be run for a stream that is published. */
export class ProgramRunner {
  readonly #host: OutputHost
  readonly #programs: ProgramSet

  constructor(host: OutputHost) {
    this.#host = host
    this.#programs = new ProgramSet(host.logger)
  }

  get facts(): ProgramFacts[] {
    return this.#programs.facts
  }

  /** Begins, ends and leaves alone what the virtual host says. */
  run(vhost: VhostConfig): void {
    this.#programs.apply([...this.#transcodes(vhost), ...execCommands(vhost, this.#host)])
  }

  /** The publisher is gone. */
  end(): void {
    this.#programs.apply([])
  }

  /** Ends all programs. Resolves when they have ended. */
  stop(): Promise<void> {
    return this.#programs.stop()
  }

  #transcodes(vhost: VhostConfig): WantedProgram[] {
    const { ownToken, logger } = this.#host
    if (ownClientKind(this.#host.publisher().param, ownToken) !== 'transcode')
      return transcodeCommands(vhost, this.#host)
    if (Object.values(vhost.transcode).some(({ enabled }) => enabled)) {
      const message = 'transcode: none for a stream that is the output of a transcode'
      logger.info({ code: 'TRANSCODE_LOOP' }, message)
    }
    return []
  }
}
