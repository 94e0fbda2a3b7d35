import { SteadyClock } from '../../base/clock.ts'
import { codeOf, messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { VhostConfig } from '../../config/config.ts'
import type { HlsStatus } from '../../ipc/contract.ts'
import { Segmenter, type SegmentStart } from '../../media/hls/segmenter.ts'
import type { Packet } from '../../media/packet.ts'
import { WriteQueue } from '../disk/write-queue.ts'
import type { OutputFacts, OutputKind, StreamOutput } from '../stream-output.ts'
import { disposeStore } from './dispose.ts'
import { KeyRing } from './key-ring.ts'
import { canChangeTo, type HlsConfig, namesOf, segmenterOptions, storeOptions } from './options.ts'
import { PlaylistStore, type PublishedSegment } from './playlist-store.ts'
import type { SegmentFile } from './segment-file.ts'
import { SegmentWriter } from './segment-writer.ts'

/** What the owner of a stream hears of its HLS. */
export interface HlsListener {
  /** A segment is in the playlist. */
  onSegment(segment: PublishedSegment): void
  /** The publisher is to be closed, for its segments cannot be written (`hls_on_error disconnect`). */
  onDisconnect(code: string, message: string): void
  /** Whether the stream's timestamps are absolute. */
  isAbsolute(): boolean
}

/** HLS as an output of a stream. */
export const hlsOutput: OutputKind = {
  name: 'hls',
  open({ hls }, { stream, config, logger, hooks, publisher, isAbsolute, disconnect }, earlier) {
    if (!hls.enabled) return null
    const output = new HlsStream(stream, hls, config.utcTime, logger, {
      onSegment: (segment) => {
        logger.debug(segment, 'hls: a segment is in the playlist')
        hooks.onHls(publisher(), segment)
      },
      onDisconnect: disconnect,
      isAbsolute,
    })
    output.waitFor(earlier)
    return output
  },
}

/**
 * The HLS of one stream: takes its packets, cuts them into segments and writes these below `hls_path`. Whatever the
 * disk does, the stream goes on.
 */
export class HlsStream implements StreamOutput {
  readonly #logger: Logger
  readonly #listener: HlsListener
  readonly #queue = new WriteQueue()
  readonly #keys = new KeyRing()
  /** A segment is not cut, or kept whole, because somebody sets the machine's clock (`hls_ts_floor`). */
  readonly #clock = new SteadyClock()
  readonly #store: PlaylistStore
  readonly #segmenter: Segmenter
  #config: HlsConfig
  /** Nothing more is written of this publish (`hls_on_error ignore`). */
  #stopped = false
  #sequence = -1
  #lost = 0
  /** Segments that were lost since one was written. */
  #lostInARow = 0

  /**
   * @param stream the stream's id
   * @param utc `utc_time`
   * @throws WeirError PATH_TEMPLATE
   */
  constructor(stream: string, config: HlsConfig, utc: boolean, logger: Logger, listener: HlsListener) {
    this.#config = config
    this.#logger = logger
    this.#listener = listener
    this.#store = new PlaylistStore(namesOf(stream, config, utc), storeOptions(config), logger)
    const writer = new SegmentWriter(this.#queue, {
      newFile: (start) => this.#newFile(start),
      onWritten: (file, durationMs) => this.#publish(file, durationMs),
      onGivenUp: (error) => {
        this.#store.noteGap()
        this.#onLost(error)
      },
    })
    this.#segmenter = new Segmenter(
      writer,
      segmenterOptions(config),
      (reason) => {
        logger.warn({ code: 'HLS_CODEC', reason }, 'hls: a track is left out')
      },
      {
        isOn: () => listener.isAbsolute(),
        onLost: (reason) => {
          logger.warn(
            { code: 'HLS_NUMBERS', reason },
            'hls: segments are not numbered as on other servers with this stream',
          )
        },
      },
    )
  }

  get status(): HlsStatus {
    return {
      enabled: true,
      fragment: this.#config.hlsFragment,
      sequence: this.#sequence,
      segments: this.#store.segments,
      lost: this.#lost,
    }
  }

  get facts(): OutputFacts {
    return { hls: this.status }
  }

  reconfigure({ hls }: Pick<VhostConfig, 'hls'>): boolean {
    if (!hls.enabled || !canChangeTo(this.#config, hls)) return false
    this.#config = hls
    this.#segmenter.options = segmenterOptions(hls)
    this.#queue.add(async () => {
      this.#store.options = storeOptions(hls)
    })
    return true
  }

  onRestart(): void {
    this.#clock.adjust()
    this.#segmenter.restart()
    if (!this.#stopped) return
    this.#stopped = false
    this.#lostInARow = 0
  }

  onIdle(): void {
    this.#segmenter.idle()
  }

  onPacket(packet: Packet): void {
    if (!this.#stopped) this.#segmenter.push(packet, this.#clock.nowMs())
  }

  /** Writes nothing until then: whoever wrote the same files before has finished. */
  waitFor(others: Promise<unknown>): void {
    this.#queue.add(async () => {
      await others
    })
  }

  /** Deletes the stream's files (`hls_dispose`), when what waits to be written is. */
  dispose(): void {
    this.#queue.add(() => disposeStore(this.#store, this.#logger))
  }

  /** Ends the segment there is. Resolves when everything is written. */
  close(): Promise<void> {
    this.#segmenter.idle()
    return this.#queue.drained()
  }

  #newFile(start: SegmentStart): SegmentFile {
    const { hlsKeys, hlsFragmentsPerKey } = this.#config
    return this.#store.newFile(start, hlsKeys ? this.#keys.next(hlsFragmentsPerKey) : null)
  }

  async #publish(file: SegmentFile, durationMs: number): Promise<void> {
    try {
      const segment = await this.#store.publish(file, durationMs)
      this.#onPublished(segment)
    } catch (error) {
      await this.#discard(file)
      this.#onLost(error)
    }
  }

  #onPublished(segment: PublishedSegment): void {
    this.#sequence = segment.seq
    if (this.#lostInARow > 0) {
      this.#logger.info({ lost: this.#lostInARow }, 'hls: segments are written again')
      this.#lostInARow = 0
    }
    this.#listener.onSegment(segment)
  }

  /** One line for each outage, however long it lasts. */
  #onLost(error: unknown): void {
    this.#lost += 1
    this.#lostInARow += 1
    if (this.#lostInARow > 1) return
    const code = codeOf(error)
    const own = code.startsWith('HLS_') || code === 'PATH_TEMPLATE'
    const message = messageOf(error)
    const { hlsOnError } = this.#config
    this.#logger.error(
      { code: own ? code : 'HLS_WRITE', reason: message, file: this.#store.names.playlistFile },
      `hls: a segment was lost; ${afterwards[hlsOnError]}`,
    )
    if (hlsOnError === 'continue') return
    this.#stopped = true
    this.#segmenter.idle()
    if (hlsOnError === 'disconnect') this.#listener.onDisconnect(own ? code : 'HLS_WRITE', message)
  }

  /** What is left of a segment that is lost anyway; why that cannot be deleted was told. */
  async #discard(file: SegmentFile): Promise<void> {
    try {
      await file.discard()
    } catch (error) {
      this.#logger.debug({ code: codeOf(error) }, 'hls: cannot delete what is left of a segment')
    }
  }
}

const afterwards: Record<HlsConfig['hlsOnError'], string> = {
  continue: 'the next one is tried',
  ignore: 'HLS stops until the stream is published again',
  disconnect: 'the publisher is closed',
}
