import type { Logger } from '../base/logger.ts'
import type { Config } from '../config/config.ts'
import type { ToMaster } from '../ipc/contract.ts'
import type { HookCount, HookVisit } from '../ipc/hook-facts.ts'
import { FailureLog } from './failure-log.ts'
import { fileUrl, type HookSegment, notifyUrl } from './hls-notify.ts'
import { type HookFacts, type HookIdentity, type HookSubject, hookBody } from './hook-body.ts'
import { HookCounts } from './hook-counts.ts'
import { HookHttp, loadHookHttp } from './hook-http.ts'
import { HookNotifier } from './hook-notifier.ts'
import { type FileAction, type HookSettings, settingsOf, urlsOf } from './hook-settings.ts'

/** Connections to one server. */
const connections = 4

const maxReplyBytes = 64 * 1024

/** What the hooks need of their back-source. */
export interface StreamHooksHost {
  readonly config: Config
  readonly logger: Logger
  readonly hookIdentity: HookIdentity
  send(message: ToMaster): void
}

/** Who hears of the files that are made of streams. */
export type FileHooks = Pick<StreamHooks, 'onDvr' | 'onHls'>

/** The `http_hooks` of a process with streams: tells of the files that are made of them. */
export class StreamHooks {
  readonly #host: StreamHooksHost
  readonly #counts = new HookCounts()
  readonly #http = new HookHttp(connections)
  readonly #notifier: HookNotifier
  /** What the notifier has, by its id. */
  readonly #untold = new Map<string, HookVisit>()
  /** Of what this process tells. */
  #nextNews = 1

  constructor(host: StreamHooksHost) {
    this.#host = host
    this.#notifier = new HookNotifier(this.#http, this.#counts, new FailureLog(host.logger))
  }

  /** Loads what calls need, if there will be any: at the first call it would hold up the streams. */
  async prepare(): Promise<void> {
    const tells = ({ enabled, onDvr, onHls, onHlsNotify }: HookSettings): boolean =>
      enabled && onDvr.length + onHls.length + onHlsNotify.length > 0
    if (Object.values(this.#host.config.vhosts).some(({ httpHooks }) => tells(httpHooks)))
      await loadHookHttp()
  }

  /**
   * A recording is complete (`on_dvr`).
   * @param publisher who was recorded
   * @param file its path, as the configuration has it
   */
  onDvr(publisher: HookSubject, file: string): void {
    const settings = settingsOf(this.#host.config, publisher.vhost)
    if (settings) this.#tell('on_dvr', publisher, settings, { cwd: process.cwd(), file })
  }

  /** A segment is in the playlist (`on_hls`, `on_hls_notify`). */
  onHls(publisher: HookSubject, segment: HookSegment): void {
    const { config, hookIdentity } = this.#host
    const settings = settingsOf(config, publisher.vhost)
    const hls = config.vhosts[publisher.vhost]?.hls
    if (!settings || hls === undefined) return
    const { seq, durationMs, file, playlistFile, uri } = segment
    const url = fileUrl(hls.hlsPath, file, uri)
    this.#tell('on_hls', publisher, settings, {
      ...{ duration: durationMs / 1000, cwd: process.cwd(), file, url, seq_no: seq },
      ...{ m3u8: playlistFile, m3u8_url: fileUrl(hls.hlsPath, playlistFile) },
    })
    if (settings.onHlsNotify.length === 0) return
    const urls = settings.onHlsNotify.map((template) =>
      notifyUrl(template, hookIdentity.server, publisher, url),
    )
    this.#notifier.tell({
      ...{
        action: 'on_hls_notify',
        vhost: publisher.vhost,
        about: `notify ${publisher.clientId}`,
        method: 'GET',
      },
      ...{ urls, body: '', id: '', settings, maxReplyBytes: hls.hlsNbNotify * 1024 },
    })
  }

  counts(): HookCount[] {
    return this.#counts.all()
  }

  /** The process ends: tells what is left to tell, for as long as there is time. Others may tell the rest. */
  async close(timeoutMs: number): Promise<void> {
    const left = await this.#notifier.settle(timeoutMs)
    for (const { id } of left) {
      const visit = this.#untold.get(id)
      if (visit !== undefined) this.#host.send({ t: 'visit-began', visit })
    }
    if (left.length > 0)
      this.#host.logger.info({ left: left.length }, 'hooks: this process ends before all is told')
    this.#http.close()
  }

  #tell(action: FileAction, publisher: HookSubject, settings: HookSettings, facts: HookFacts): void {
    const urls = urlsOf(settings, action)
    if (urls.length === 0) return
    const { vhost, clientId: about } = publisher
    const id = `${about}-${process.pid}-${this.#nextNews}`
    this.#nextNews += 1
    this.#untold.set(id, { id, action, ...publisher, facts })
    const onDone = (): boolean => this.#untold.delete(id)
    const body = hookBody(action, this.#host.hookIdentity, publisher, facts)
    this.#notifier.tell({
      ...{ action, vhost, about, urls, body, id, settings, onDone, maxReplyBytes },
      method: 'POST',
    })
  }
}
