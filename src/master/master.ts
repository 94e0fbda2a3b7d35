import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { codeOf, messageOf } from '../base/errors.ts'
import { newId, newSecret } from '../base/ids.ts'
import type { Logger, ProcessLog } from '../base/logger.ts'
import { version } from '../base/version.ts'
import type { Config } from '../config/config.ts'
import { diffConfig } from '../config/diff.ts'
import { loadConfig } from '../config/load.ts'
import { encodeAnswer } from '../ipc/answer-codec.ts'
import type { ReloadOutcome, ServerFacts, WorkerRole } from '../ipc/contract.ts'
import { ProcessMeter } from '../worker/process-meter.ts'
import { canReusePort, httpWorkers, streamWorkers } from '../worker/worker-counts.ts'
import { Admission } from './admission.ts'
import { BackSourcePool } from './back-source-pool.ts'
import { BandwidthChecks } from './bandwidth-checks.ts'
import { type ClientDesk, handleClientMessage } from './client-messages.ts'
import { ClusterMembership } from './cluster-membership.ts'
import { ClusterUpstreams } from './cluster-upstreams.ts'
import { type ConfigPlace, fixedSettings } from './config-place.ts'
import type { ServerStatus } from './control-contract.ts'
import { ControlServer } from './control-server.ts'
import { ForwardTurns } from './forward-turns.ts'
import { Ingests } from './ingests.ts'
import { inquire } from './inquiry.ts'
import { OriginHealth } from './origin-health.ts'
import { type OwnSources, ownAnswer } from './own-answer.ts'
import { PidFile } from './pid-file.ts'
import { probe } from './port-probe.ts'
import { endpointsOf, poolLimits, startsAtOnce } from './process-plan.ts'
import { RamDir } from './ram-dir.ts'
import { RuntimeDir } from './runtime-dir.ts'
import { tellTable } from './source-messages.ts'
import { SourceTable } from './source-table.ts'
import { tellFirst } from './tell-first.ts'
import { ToldBytes } from './told-bytes.ts'
import { EdgeUpstreams } from './upstreams.ts'
import { VisitLedger } from './visit-ledger.ts'
import { WorkerEnds } from './worker-ends.ts'
import { WorkerGroup } from './worker-group.ts'
import { WorkerHandle, type WorkerListener, type WorkMessage } from './worker-handle.ts'
import { statusOf } from './worker-status.ts'

/** What the name of a worker's socket begins with; a number for each process ever started follows. */
const socketPrefixes: Record<WorkerRole, string> = { stream: 's', 'back-source': 'b', http: 'h' }

/**
 * The master: reads the configuration, starts and replaces the workers, keeps the table of streams, and does
 * what signals ask. It never touches a media byte or a client's socket.
 */
export class Master {
  readonly #place: ConfigPlace
  readonly #log: ProcessLog
  readonly #logger: Logger
  readonly #serverId = newId()
  readonly #ownToken = newSecret()
  readonly #pidFile: PidFile
  readonly #runtime: RuntimeDir
  readonly #ram: RamDir
  readonly #control: ControlServer
  readonly #admission: Admission
  readonly #cluster: ClusterMembership
  readonly #table: SourceTable
  readonly #health: OriginHealth
  readonly #pool: BackSourcePool
  readonly #ends: WorkerEnds
  readonly #ingests: Ingests
  readonly #visits: VisitLedger
  readonly #told = new ToldBytes()
  readonly #own: OwnSources
  readonly #forwardTurns: ForwardTurns
  readonly #streamGroup: WorkerGroup
  readonly #httpGroup: WorkerGroup
  #config: Config
  #spawned = 0
  #reloaded: Promise<unknown> = Promise.resolve()
  #stopping: Promise<void> | null = null
  #stoppingGracefully: Promise<void> | null = null

  /**
   * Makes this process the one master of its pid file. It starts nothing yet.
   * @throws WeirError PID_FILE, RUNTIME_DIR or RAM_DIR; nothing is left behind then
   */
  static async create(place: ConfigPlace, config: Config, log: ProcessLog): Promise<Master> {
    const ram = new RamDir(config.ramDir, log.logger)
    const pidFile = await PidFile.acquire(config.pid)
    try {
      const placed = ram.place(config)
      return new Master(place, placed, log, pidFile, new RuntimeDir(config.runtimeDir), ram)
    } catch (error) {
      ram.remove()
      await pidFile.remove()
      throw error
    }
  }

  private constructor(
    place: ConfigPlace,
    config: Config,
    log: ProcessLog,
    pidFile: PidFile,
    runtime: RuntimeDir,
    ram: RamDir,
  ) {
    this.#place = place
    this.#config = config
    this.#log = log
    this.#logger = log.logger
    this.#pidFile = pidFile
    this.#runtime = runtime
    this.#ram = ram
    this.#ends = new WorkerEnds(log.logger)
    this.#ingests = new Ingests(log.logger, this.#ownToken)
    this.#control = new ControlServer(this.#runtime.socket('master'), this.#logger, () => this.status())
    this.#visits = new VisitLedger(log.logger, () => this.#clientWorkers)
    this.#admission = new Admission(config)
    this.#pool = new BackSourcePool(
      tellFirst({ t: 'recover' }, (listener) => this.#spawn('back-source', listener)),
      poolLimits(config),
      this.#logger,
      {
        onMessage: (backSource, message) => {
          if (message.t === 'visit-began') this.#visits.onMessage(backSource.worker, message)
          else if (message.t === 'upstream-health') this.#health.onReport(message.address, message.ok)
          else tellTable(this.#table, backSource, message)
        },
        onLost: (backSource, waitMs) => {
          this.#told.onBackSourceLost(backSource.worker, this.#table.sources)
          this.#table.onBackSourceLost(backSource, waitMs)
        },
      },
      startsAtOnce(),
    )
    this.#health = new OriginHealth(this.#logger)
    this.#cluster = new ClusterMembership(this.#serverId, this.#logger, {
      onLost: (stream, owner) => this.#table.lose(stream, owner),
      onBegan: (stream) => this.#table.onOwnerChanged(stream),
    })
    const edge = new EdgeUpstreams(() => this.#config, this.#health)
    const upstreams = new ClusterUpstreams(edge, this.#cluster)
    this.#table = new SourceTable(config, this.#pool, this.#cluster, upstreams, this.#logger)
    const reload = (): Promise<ReloadOutcome> => this.reload()
    const [table, told, ingests, cluster] = [this.#table, this.#told, this.#ingests, this.#cluster]
    this.#own = { meter: new ProcessMeter(), table, told, ingests, cluster, reload }
    this.#forwardTurns = new ForwardTurns(config, this.#table.sources)
    this.#streamGroup = this.#groupOf('stream')
    this.#httpGroup = this.#groupOf('http')
  }

  /**
   * Starts everything.
   * @returns the addresses that accept clients
   * @throws WeirError when the server cannot start; every worker is ended and every file removed before
   */
  async start(): Promise<string[]> {
    try {
      for (const endpoint of endpointsOf(this.#config)) await probe(endpoint)
      await this.#control.listen()
      await this.#cluster.apply(this.#config.cluster)
      const endpoints = await Promise.all([
        this.#streamGroup.start(streamWorkers(this.#config)),
        this.#httpGroup.start(httpWorkers(this.#config)),
      ])
      this.#pool.refill()
      this.#ingests.apply(this.#config)
      return endpoints.flat()
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  /**
   * SIGHUP: applies what changed, or keeps everything as it is when the file is not valid or cannot be acted on. One
   * reload waits for those before it.
   */
  reload(): Promise<ReloadOutcome> {
    const outcome = this.#reloaded.then(() => this.#reload())
    this.#reloaded = outcome
    return outcome
  }

  /** SIGUSR1: all processes open their log files anew. */
  reopenLogs(): void {
    this.#log.reopen()
    for (const worker of this.#workers) worker.send({ t: 'reopen-log' })
    this.#logger.info('log files reopened')
  }

  /** SIGTERM: as SIGINT, or as SIGQUIT where `force_grace_quit` says so. */
  terminate(): Promise<void> {
    return this.#config.forceGraceQuit ? this.stopGracefully() : this.stop()
  }

  /**
   * SIGQUIT: goes on for `grace_start_wait` (a load balancer that was told at the same moment may still send clients),
   * then takes no new clients, and stops when the last one is gone, or after `grace_final_wait`.
   */
  stopGracefully(): Promise<void> {
    this.#stoppingGracefully ??= this.#drainAndStop()
    return this.#stopping ?? this.#stoppingGracefully
  }

  /** SIGINT: ends everything, cleanly and soon, also while a graceful stop waits. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopNow()
    return this.#stopping
  }

  async status(): Promise<ServerStatus> {
    return { ...this.#facts(), ...(await statusOf(this.#workers)) }
  }

  #facts(): ServerFacts {
    return {
      version,
      serverId: this.#serverId,
      pid: process.pid,
      ppid: process.ppid,
      argv: process.argv.slice(1).join(' '),
      cwd: process.cwd(),
      uptimeMs: Math.round(process.uptime() * 1000),
      configFile: this.#place.file,
      connections: this.#admission.total,
      maxConnections: this.#admission.limits.maxConnections,
      admittedConnections: this.#admission.admitted,
      refusedConnections: this.#admission.refused,
      failedConnections: this.#admission.failed,
      sources: this.#table.size,
    }
  }

  async #report(worker: WorkerHandle, message: Extract<WorkMessage, { t: 'inquire' }>): Promise<void> {
    const { inquiry, question, pids } = message
    const answers = await inquire(this.#workers, question, pids, (asked, answer) => {
      this.#told.onAnswer(asked, question, answer)
    })
    const own = pids === null ? await ownAnswer(question, this.#own) : null
    if (own !== null) {
      const answer = encodeAnswer(own)
      answers.push({ role: 'master', index: 0, pid: process.pid, ready: true, answer })
    }
    worker.send({ t: 'report', inquiry, server: this.#facts(), answers })
  }

  get #workers(): WorkerHandle[] {
    return [...this.#clientWorkers, ...this.#pool.workers]
  }

  get #clientWorkers(): WorkerHandle[] {
    return [...this.#streamGroup.workers, ...this.#httpGroup.workers]
  }

  #closeGroups(): void {
    this.#streamGroup.close()
    this.#httpGroup.close()
  }

  async #reload(): Promise<ReloadOutcome> {
    let next: Config
    let warnings: readonly string[]
    try {
      const loaded = loadConfig(this.#place.file, this.#place.cwd)
      warnings = loaded.warnings
      for (const warning of warnings) this.#logger.warn(warning)
      next = this.#ram.place(loaded.config)
      // A worker that cannot listen could not be replaced any more.
      const before = endpointsOf(this.#config)
      const added = endpointsOf(next).filter((one) => !before.some((old) => isDeepStrictEqual(old, one)))
      for (const endpoint of added) await probe(endpoint, canReusePort)
      this.#log.apply(next.log)
    } catch (error) {
      this.#logger.error({ code: codeOf(error) }, `reload refused, nothing changed: ${messageOf(error)}`)
      return { applied: false, code: codeOf(error), message: messageOf(error) }
    }
    if (this.#stopping !== null) return { applied: false, code: 'NOT_RUNNING', message: 'the server stops' }
    const diff = diffConfig(this.#config, next)
    const atNextStart = diff.global.filter((key) => fixedSettings.includes(key))
    for (const setting of atNextStart) {
      this.#logger.warn({ setting }, 'reload: this setting changes at the next start')
    }
    this.#config = next
    this.#admission.limits = next
    this.#table.config = next
    this.#forwardTurns.config = next
    this.#pool.limits = poolLimits(next)
    for (const worker of this.#workers) worker.send({ t: 'reload', config: next, log: next.log })
    this.#streamGroup.resize(streamWorkers(next))
    this.#httpGroup.resize(httpWorkers(next))
    this.#ingests.apply(next)
    await this.#cluster.apply(next.cluster)
    this.#logger.info(diff, 'reloaded')
    return { applied: true, changes: diff, warnings: [...warnings], atNextStart }
  }

  async #drainAndStop(): Promise<void> {
    const { graceStartWait, graceFinalWait } = this.#config
    this.#logger.info({ startWaitMs: graceStartWait, finalWaitMs: graceFinalWait }, 'graceful stop')
    await delay(graceStartWait)
    if (this.#stopping !== null) return this.#stopping
    this.#logger.info('graceful stop: taking no new clients, waiting for those that are here')
    this.#closeGroups()
    const gone = Promise.all(this.#clientWorkers.map((worker) => this.#ends.of(worker)))
    for (const worker of this.#clientWorkers) worker.leave('drain')
    await Promise.race([gone, delay(graceFinalWait)])
    return this.stop()
  }

  async #stopNow(): Promise<void> {
    this.#logger.info('stopping')
    this.#closeGroups()
    this.#pool.close()
    this.#table.close()
    this.#forwardTurns.close()
    this.#health.close()
    await this.#ingests.stop()
    // Publishers and players first: what they sent is complete when the back-sources finish their files.
    await this.#ends.stop(this.#clientWorkers)
    await this.#cluster.close()
    await this.#ends.stop(this.#pool.workers)
    this.#visits.close()
    this.#control.close()
    this.#runtime.remove()
    this.#ram.remove()
    await this.#pidFile.remove()
    this.#logger.info({ seconds: Math.round(process.uptime()) }, 'stopped')
    this.#log.flush()
  }

  #groupOf(role: 'stream' | 'http'): WorkerGroup {
    const desk: ClientDesk = {
      admission: this.#admission,
      table: this.#table,
      visits: this.#visits,
      told: this.#told,
      registry: this.#cluster,
      bandwidthChecks: new BandwidthChecks(() => this.#config),
      logger: this.#logger,
      report: (worker, message) => this.#report(worker, message),
    }
    return new WorkerGroup((index, listener) => this.#spawn(role, listener, index), this.#logger, {
      onMessage: (worker, message) => handleClientMessage(worker, message, desk),
      onLost: (worker) => {
        this.#admission.onWorkerLost(worker)
        this.#table.onWorkerLost(worker)
      },
    })
  }

  #spawn(role: WorkerRole, listener: WorkerListener, index?: number): WorkerHandle {
    this.#spawned += 1
    const watched: WorkerListener = {
      onReady: (worker, endpoints) => {
        listener.onReady(worker, endpoints)
        this.#visits.onWorkerReady()
      },
      onMessage: (worker, message) => listener.onMessage(worker, message),
      onExit: (worker, error) => {
        listener.onExit(worker, error)
        this.#visits.onWorkerLost(worker)
        this.#told.onExit(worker, this.#table.sources)
        this.#ends.onExit(worker)
      },
    }
    return new WorkerHandle(
      role,
      {
        index: index ?? this.#spawned,
        socketPath: this.#runtime.socket(`${socketPrefixes[role]}${this.#spawned}`),
        serverId: this.#serverId,
        ownToken: this.#ownToken,
        config: this.#config,
        log: this.#config.log,
      },
      watched,
    )
  }
}
