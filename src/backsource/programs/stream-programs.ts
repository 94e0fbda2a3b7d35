import { codeOf, messageOf } from '../../base/errors.ts'
import type { VhostConfig } from '../../config/config.ts'
import { dataType, isHeader, type Packet } from '../../media/packet.ts'
import type { OutputFacts, OutputHost, OutputKind, StreamOutput } from '../stream-output.ts'
import type { ProgramRunner } from './program-runner.ts'

/** Transcodes and programs as an output of a stream. */
export const streamPrograms: OutputKind = {
  name: 'programs',
  open(vhost, host) {
    return wantsPrograms(vhost) ? new StreamPrograms(vhost, host) : null
  },
}

/**
 * The programs of others that run while a stream is published: FFmpeg for each engine of `transcode`, and what `exec`
 * names. They get the stream as any player does. What runs them is loaded when a stream wants some: most have none.
 */
class StreamPrograms implements StreamOutput {
  readonly #loaded: Promise<void>
  #runner: ProgramRunner | null = null
  #vhost: VhostConfig
  /** `waiting`: a publisher is there, and its first frame is not. */
  #state: 'idle' | 'waiting' | 'live' = 'idle'

  constructor(vhost: VhostConfig, host: OutputHost) {
    this.#vhost = vhost
    this.#loaded = this.#load(host)
  }

  get facts(): OutputFacts {
    return { programs: this.#runner?.facts ?? [] }
  }

  reconfigure(vhost: VhostConfig): boolean {
    if (!wantsPrograms(vhost)) return false
    this.#vhost = vhost
    if (this.#state === 'live') this.#runner?.run(vhost)
    return true
  }

  onRestart(): void {
    this.#runner?.end()
    this.#state = 'waiting'
  }

  onIdle(): void {
    this.#runner?.end()
    this.#state = 'idle'
  }

  onPacket(packet: Packet): void {
    if (this.#state !== 'waiting' || packet.type === dataType || isHeader(packet)) return
    this.#state = 'live'
    this.#runner?.run(this.#vhost)
  }

  async close(): Promise<void> {
    this.#state = 'idle'
    await this.#loaded
    await this.#runner?.stop()
  }

  async #load(host: OutputHost): Promise<void> {
    try {
      const { ProgramRunner } = await import('./program-runner.ts')
      this.#runner = new ProgramRunner(host)
      if (this.#state === 'live') this.#runner.run(this.#vhost)
    } catch (error) {
      host.logger.error({ code: codeOf(error) }, `programs cannot be run: ${messageOf(error)}`)
    }
  }
}

function wantsPrograms({ exec, transcode }: VhostConfig): boolean {
  return exec.enabled || Object.values(transcode).some(({ enabled }) => enabled)
}
