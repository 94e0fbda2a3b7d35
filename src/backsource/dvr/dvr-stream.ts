import { monotonicMs } from '../../base/clock.ts'
import { codeOf, isErrorCode, messageOf, WeirError } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { VhostConfig } from '../../config/config.ts'
import type { HookSubject } from '../../hooks/hook-body.ts'
import type { FileHooks } from '../../hooks/stream-hooks.ts'
import type { StreamId } from '../../ipc/contract.ts'
import type { DvrStatus } from '../../ipc/dvr-status.ts'
import { StreamHeaders } from '../../live/stream-headers.ts'
import { splitStreamId } from '../../live/stream-key.ts'
import { OpeningTracks } from '../../media/dvr/opening-tracks.ts'
import { dataType, isHeader, isKeyFrame, type Packet, videoType } from '../../media/packet.ts'
import { UnwrappedTime } from '../../media/timestamp-delta.ts'
import type { RecordingNames } from '../../recordings/names.ts'
import { WriteQueue } from '../disk/write-queue.ts'
import type { OutputFacts, OutputKind, StreamOutput } from '../stream-output.ts'
import { openRecording } from './open-recording.ts'
import { canChangeTo, type DvrConfig, isRecorded, namesOf } from './options.ts'
import { type DvrListener, recordedFile } from './recorded-file.ts'
import { recover, recoverStream } from './recover.ts'
import { type FinishedTake, Take } from './take.ts'

/** What the owner of a stream hears of its recordings, and tells. */
export interface DvrStreamListener extends DvrListener {
  /** Who publishes now. */
  publisher(): HookSubject
}

/** Recording as an output of a stream. */
export const dvrOutput: OutputKind = {
  name: 'dvr',
  open({ dvr }, { stream, config, logger, hooks, publisher }, earlier) {
    if (!isRecorded(stream, dvr)) return null
    const listener = { publisher, ...dvrListener(logger, hooks) }
    return new DvrStream(stream, dvr, config.utcTime, logger, listener, earlier)
  },
}

/** Tells of recordings (`on_dvr`). */
export function dvrListener(logger: Logger, hooks: FileHooks): DvrListener {
  return {
    onRecorded: (recording, publisher) => {
      logger.debug(recording, 'dvr: a recording is whole')
      const { vhost, app, stream, file } = recording
      hooks.onDvr(publisher ?? { clientId: '', ip: '', vhost, app, stream, param: '' }, file)
    },
  }
}

/** At a key frame a recording that is too short by this is long enough: times are rounded, and the next one is far. */
const toleranceMs = 20

/** How long it takes until another file is tried after one failed: at first, and at most, in milliseconds. */
const firstBackOffMs = 1000
const maxBackOffMs = 30_000

/** Bytes of a file that the disk has to have taken before a failure is over. */
const provenBytes = 1024 * 1024

/** Recordings that are not complete yet: with more of them, the disk is behind. */
const maxIncomplete = 64

/**
 * The recorder of one stream: takes its packets and writes files of them. Whatever the disk does, the stream goes on;
 * what a failure leaves is made a file that can be played, and the next one is tried with growing pauses.
 */
export class DvrStream implements StreamOutput {
  readonly #stream: StreamId
  readonly #logger: Logger
  readonly #listener: DvrStreamListener
  readonly #names: RecordingNames
  readonly #queue = new WriteQueue()
  readonly #headers = new StreamHeaders()
  readonly #held = { bytes: 0 }
  #config: DvrConfig
  #take: Take | null = null
  /** Recordings that are not complete, and when all of them are. */
  #incomplete = 0
  #complete: Promise<unknown>
  /** A publisher is there. */
  #isLive = false
  /** The stream's time, and what it was when the recording began. */
  readonly #time = new UnwrappedTime()
  #nowMs = 0
  #beganAtMs = 0
  /** Video is left out up to the next key frame. */
  #waitsForKey = false
  #files = 0
  #errors = 0
  /** Failures since a file could be written, and when the next one is tried. */
  #failures = 0
  #retryAtMs = 0

  /**
   * @param utc `utc_time`
   * @param earlier resolves when whoever recorded the stream before has finished
   * @throws WeirError PATH_TEMPLATE
   */
  constructor(
    stream: StreamId,
    config: DvrConfig,
    utc: boolean,
    logger: Logger,
    listener: DvrStreamListener,
    earlier: Promise<unknown> = Promise.resolve(),
  ) {
    this.#stream = stream
    this.#config = config
    this.#logger = logger
    this.#listener = listener
    this.#names = namesOf(stream, config, utc)
    this.#complete = earlier.then(async () => {
      for (const file of await recoverStream(this.#names, logger)) await this.#tellRecovered(file, null)
    })
  }

  get status(): DvrStatus {
    const progress = this.#take?.progress ?? null
    return {
      enabled: true,
      plan: this.#config.dvrPlan,
      recording: progress !== null,
      file: progress?.file ?? '',
      bytes: progress?.bytes ?? 0,
      durationMs: Math.round(progress?.durationMs ?? 0),
      files: this.#files,
      errors: this.#errors,
    }
  }

  get facts(): OutputFacts {
    return { dvr: this.status }
  }

  reconfigure({ dvr }: Pick<VhostConfig, 'dvr'>): boolean {
    if (!isRecorded(this.#stream, dvr) || !canChangeTo(this.#config, dvr)) return false
    this.#config = dvr
    return true
  }

  onRestart(): void {
    this.#endTake()
    this.#headers.clear()
    this.#isLive = true
    this.#waitsForKey = this.#config.dvrWaitKeyframe
  }

  onIdle(): void {
    this.#endTake()
    this.#isLive = false
  }

  onPacket(packet: Packet): void {
    if (!this.#isLive) return
    if (isHeader(packet)) this.#onHeader(packet)
    else if (packet.type === dataType) this.#take?.push(packet)
    else this.#onFrame(packet)
  }

  /** Ends the recording there is. Resolves when all of them are complete. */
  async close(): Promise<void> {
    this.onIdle()
    await this.#complete
    await this.#queue.drained()
  }

  #onHeader(packet: Packet): void {
    if (this.#take !== null && !this.#take.fits(packet)) {
      this.#endTake()
      // Pictures behind another configuration begin with a key frame; audio may change between any two.
      this.#waitsForKey = packet.type === videoType && this.#config.dvrWaitKeyframe
    }
    this.#headers.keep(packet)
    this.#take?.push(packet)
  }

  #onFrame(packet: Packet): void {
    if (this.#config.dvrPlan === 'segment') this.#nowMs = this.#time.next(packet.timestamp)
    if (this.#take !== null && (this.#isLongEnough(this.#take, packet) || !this.#take.fits(packet))) {
      this.#endTake()
    }
    if (isKeyFrame(packet)) this.#waitsForKey = false
    if (packet.type === videoType && this.#waitsForKey) return
    this.#take ??= this.#newTake()
    this.#take?.push(packet)
  }

  /** Whether it ends before the packet (plan segment). */
  #isLongEnough({ hasVideo }: Take, packet: Packet): boolean {
    const { dvrPlan, dvrDuration, dvrWaitKeyframe } = this.#config
    if (dvrPlan !== 'segment') return false
    const durationMs = dvrDuration * 1000
    const lengthMs = this.#nowMs - this.#beganAtMs
    if (isKeyFrame(packet)) return lengthMs >= durationMs - toleranceMs
    const needsKey = dvrWaitKeyframe && (hasVideo || packet.type === videoType)
    return !needsKey && lengthMs >= durationMs
  }

  /** @returns null: it is not yet time to try again */
  #newTake(): Take | null {
    if (monotonicMs() < this.#retryAtMs) return null
    if (this.#incomplete >= maxIncomplete) {
      this.#onFailed(new WeirError('DVR_BEHIND', `${this.#incomplete} recordings wait for the disk`))
      return null
    }
    const config = this.#config
    const publisher = this.#listener.publisher()
    const start = { ...splitStreamId(this.#stream), startedAtMs: Date.now() }
    const tracks = new OpeningTracks()
    const before = this.#complete
    const metadata = this.#headers.list().find(({ type }) => type === dataType)?.body ?? null
    const take: Take = new Take({
      queue: this.#queue,
      held: this.#held,
      timeJitter: config.dvrPlan === 'append' && config.timeJitter === 'off' ? 'zero' : config.timeJitter,
      waitsForTracks: this.#names.isMp4,
      manyConfigurations: config.dvrPlan === 'append' && !this.#names.isMp4,
      tracks,
      open: async (first) => {
        await before
        return openRecording({
          names: this.#names,
          config,
          start,
          tracks,
          metadata,
          first,
          logger: this.#logger,
        })
      },
      onWritten: (bytes) => {
        if (bytes >= provenBytes) this.#onProven()
      },
      onFinished: (finished) => this.#onFinished(finished, start.startedAtMs, publisher),
      onFailed: (error) => {
        if (this.#take === take) this.#take = null
        this.#onFailed(error)
      },
      salvage: async ({ path }) => {
        const file = await recover(path, this.#logger)
        if (file !== null) await this.#tellRecovered(file, publisher)
      },
    })
    this.#beganAtMs = this.#nowMs
    this.#incomplete += 1
    this.#complete = take.complete.then(() => {
      this.#incomplete -= 1
    })
    for (const header of this.#headers.list()) take.push(header)
    return take
  }

  #endTake(): void {
    this.#take?.end()
    this.#take = null
  }

  #onFinished({ file, facts, bytes }: FinishedTake, startedAtMs: number, publisher: HookSubject): void {
    this.#onProven()
    this.#files += 1
    const { vhost, app, stream, durationMs } = facts
    this.#logger.info({ sid: publisher.clientId, file, bytes, durationMs }, 'dvr: recorded')
    const recorded = { vhost, app, stream, file, cwd: process.cwd(), bytes, durationMs, startedAtMs }
    this.#listener.onRecorded(recorded, publisher)
  }

  /** What a killed process, or a failure, left and is a recording now. */
  async #tellRecovered(file: string, publisher: HookSubject | null): Promise<void> {
    const recorded = await recordedFile(file, this.#logger)
    if (recorded === null) return
    this.#files += 1
    this.#listener.onRecorded(recorded, publisher)
  }

  #onProven(): void {
    if (this.#failures === 0) return
    this.#logger.info({ failures: this.#failures }, 'dvr: recordings are written again')
    this.#failures = 0
    this.#retryAtMs = 0
  }

  /** One line for each outage, however long it lasts. */
  #onFailed(error: unknown): void {
    this.#errors += 1
    this.#failures += 1
    this.#waitsForKey = this.#config.dvrWaitKeyframe
    const waitMs = Math.min(maxBackOffMs, firstBackOffMs * 2 ** (this.#failures - 1))
    this.#retryAtMs = monotonicMs() + waitMs
    if (this.#failures > 1) return
    const code = codeOf(error)
    const own = isErrorCode(code) ? code : 'DVR_WRITE'
    this.#logger.error(
      { code: own, reason: messageOf(error), dir: this.#names.root },
      'dvr: a recording cannot be written; the stream goes on, and another one is tried',
    )
  }
}
