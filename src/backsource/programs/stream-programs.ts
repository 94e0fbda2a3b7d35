import { ownClientKind } from '../../base/own-client.ts'
import type { VhostConfig } from '../../config/config.ts'
import { dataType, isHeader, type Packet } from '../../media/packet.ts'
import { ProgramSet, type WantedProgram } from '../../programs/program-set.ts'
import type { OutputFacts, OutputHost, OutputKind, StreamOutput } from '../stream-output.ts'
import { execCommands } from './exec-commands.ts'
import { transcodeCommands } from './transcode-commands.ts'

/** Transcodes and programs as an output of a stream. */
export const streamPrograms: OutputKind = {
  name: 'programs',
  open(vhost, host) {
    return wantsPrograms(vhost) ? new StreamPrograms(vhost, host) : null
  },
}

/**
 * The programs of others that run while a stream is published: FFmpeg for each engine of `transcode`, and what `exec`
 * names. They get the stream as any player does.
 */
class StreamPrograms implements StreamOutput {
  readonly #host: OutputHost
  readonly #programs: ProgramSet
  #vhost: VhostConfig
  /** `waiting`: a publisher is there, and its first frame is not. */
  #state: 'idle' | 'waiting' | 'live' = 'idle'

  constructor(vhost: VhostConfig, host: OutputHost) {
    this.#vhost = vhost
    this.#host = host
    this.#programs = new ProgramSet(host.logger)
  }

  get facts(): OutputFacts {
    return { programs: this.#programs.facts }
  }

  reconfigure(vhost: VhostConfig): boolean {
    if (!wantsPrograms(vhost)) return false
    this.#vhost = vhost
    if (this.#state === 'live') this.#programs.apply(this.#commands())
    return true
  }

  onRestart(): void {
    this.#programs.apply([])
    this.#state = 'waiting'
  }

  onIdle(): void {
    this.#programs.apply([])
    this.#state = 'idle'
  }

  onPacket(packet: Packet): void {
    if (this.#state !== 'waiting' || packet.type === dataType || isHeader(packet)) return
    this.#state = 'live'
    this.#programs.apply(this.#commands())
  }

  async close(): Promise<void> {
    this.#state = 'idle'
    await this.#programs.stop()
  }

  #commands(): WantedProgram[] {
    const { publisherParam, ownToken, logger } = this.#host
    const commands = execCommands(this.#vhost, this.#host)
    if (ownClientKind(publisherParam, ownToken) !== 'transcode') {
      return [...transcodeCommands(this.#vhost, this.#host), ...commands]
    }
    if (Object.values(this.#vhost.transcode).some(({ enabled }) => enabled)) {
      logger.info(
        { code: 'TRANSCODE_LOOP' },
        'transcode: none for a stream that is the output of a transcode',
      )
    }
    return commands
  }
}

function wantsPrograms({ exec, transcode }: VhostConfig): boolean {
  return exec.enabled || Object.values(transcode).some(({ enabled }) => enabled)
}
