import { messageOf, WeirError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { Config, VhostConfig } from '../config/config.ts'
import type { HookSubject } from '../hooks/hook-body.ts'
import type { FileHooks } from '../hooks/stream-hooks.ts'
import type { PublishOrigin, StreamId, StreamStatus } from '../ipc/contract.ts'
import type { Source, SourceConsumer } from '../live/source.ts'

/** What an output hears of the stream that it belongs to, and tells it. */
export interface OutputHost {
  readonly stream: StreamId
  /** Its lines name the stream. */
  readonly logger: Logger
  /** The configuration in force, the other virtual hosts and what is global included. */
  readonly config: Config
  /** By which this server's own programs are known; see base/own-client.ts. */
  readonly ownToken: string
  /** Names this run of the server. */
  readonly serverId: string
  /** Tells other servers of the files that are made of it (`http_hooks`). */
  readonly hooks: FileHooks
  /** The present publisher, or the last, as hooks are told of it. */
  publisher(): HookSubject
  /** Where that one's stream comes from; null: it is not known. */
  origin(): PublishOrigin | null
  /** Whether the present publisher's timestamps are passed on as they are (`atc`). */
  isAbsolute(): boolean
  /** Gives a further consumer what {@link StreamOutput} itself gets: for an output with parts that come and go. */
  join(consumer: SourceConsumer): void
  leave(consumer: SourceConsumer): void
  /** The publisher is to be closed: its stream cannot be taken as its vhost wants it. */
  disconnect(code: string, message: string): void
}

/** What outputs add to a stream's status. */
export type OutputFacts = Pick<StreamStatus, 'hls' | 'dvr' | 'forwards' | 'programs'>

/**
 * Something that is made of a stream beside its players: files, another server's stream. It sees every packet of every
 * publisher while it is open, and nothing that it does may hold up the stream.
 */
export interface StreamOutput extends SourceConsumer {
  readonly facts: OutputFacts
  /**
   * Takes up a changed configuration.
   * @returns false if it cannot, or is no longer wanted: then it is closed, and opened anew if it is wanted
   */
  reconfigure(vhost: VhostConfig): boolean
  /** Deletes what it has written: nobody has published the stream for long. */
  dispose?(): void
  /** Writes a line about what it does, for the periodic summary. */
  logSummary?(): void
  /** Ends it. Resolves when all that it holds is complete and given back. */
  close(): Promise<void>
}

/** A kind of output: HLS, a recorder, a forwarder … */
export interface OutputKind {
  /** As it is called in log lines. */
  readonly name: string
  /**
   * @param earlier resolves when the stream's output of this kind before has closed
   * @returns null if the vhost does not ask for it
   * @throws WeirError if its configuration cannot be acted on for this stream: it is told in the log
   */
  open(vhost: VhostConfig, host: OutputHost, earlier: Promise<unknown>): StreamOutput | null
}

/** The outputs of one stream, one of each kind at most. */
export class StreamOutputs {
  readonly #source: Source
  readonly #host: OutputHost
  readonly #kinds: readonly OutputKind[]
  readonly #open = new Map<OutputKind, StreamOutput>()
  /** Outputs that ended and are not complete yet. */
  readonly #closing = new Set<Promise<void>>()

  constructor(source: Source, host: OutputHost, kinds: readonly OutputKind[], vhost: VhostConfig) {
    this.#source = source
    this.#host = host
    this.#kinds = kinds
    for (const kind of kinds) this.#start(kind, vhost)
  }

  get facts(): OutputFacts {
    return Object.assign({}, ...[...this.#open.values()].map(({ facts }) => facts))
  }

  reconfigure(vhost: VhostConfig): void {
    for (const kind of this.#kinds) {
      const output = this.#open.get(kind)
      if (output?.reconfigure(vhost)) continue
      this.#end(kind)
      this.#start(kind, vhost)
    }
  }

  dispose(): void {
    for (const output of this.#open.values()) output.dispose?.()
  }

  logSummary(): void {
    for (const output of this.#open.values()) output.logSummary?.()
  }

  /** Resolves when all outputs are complete. */
  async close(): Promise<void> {
    for (const kind of this.#kinds) this.#end(kind)
    await Promise.all(this.#closing)
  }

  #start(kind: OutputKind, vhost: VhostConfig): void {
    try {
      const output = kind.open(vhost, this.#host, Promise.all(this.#closing))
      if (output === null) return
      this.#open.set(kind, output)
      this.#source.join(output)
    } catch (error) {
      if (!(error instanceof WeirError)) throw error
      this.#host.logger.error({ code: error.code }, `${kind.name}: nothing is written: ${messageOf(error)}`)
    }
  }

  #end(kind: OutputKind): void {
    const output = this.#open.get(kind)
    if (output === undefined) return
    this.#open.delete(kind)
    this.#source.leave(output)
    const closing: Promise<void> = output.close().finally(() => this.#closing.delete(closing))
    this.#closing.add(closing)
  }
}
