import { Socket } from 'node:net'
import { codeOf, messageOf, WeirError } from '../base/errors.ts'
import { type Logger, type LogOptions, openLog, type ProcessLog } from '../base/logger.ts'
import type { Config } from '../config/config.ts'
import { encodeAnswer } from '../ipc/answer-codec.ts'
import { Channel } from '../ipc/channel.ts'
import {
  type Answer,
  controlFd,
  type FromMaster,
  protocolVersion,
  type Question,
  type ToMaster,
  type WorkerRole,
  type WorkerStatus,
} from '../ipc/contract.ts'
import { Leftovers, leftoverCheckMs, ownGauge } from './leftovers.ts'
import { ProcessMeter } from './process-meter.ts'

type InitMessage = Extract<FromMaster, { t: 'init' }>
type CommonMessage = Extract<FromMaster, { t: 'init' | 'reload' | 'reopen-log' | 'stop' | 'drain' | 'ask' }>

/** A question about the worker's work, not about its process. */
export type WorkQuestion = Exclude<Question, { ask: 'status' | 'usage' }>

/** A message that only one role understands. */
export type RoleMessage = Exclude<FromMaster, CommonMessage>

/** What a worker's main gets to work with. */
export interface WorkerContext {
  readonly index: number
  readonly socketPath: string
  readonly serverId: string
  /** See base/own-client.ts. */
  readonly ownToken: string
  readonly config: Config
  readonly logger: Logger
  /** Sends to the master. Messages to a master that is gone are dropped: there is nobody to tell. */
  send(message: ToMaster): void
  /** Ends the process in good order; for a worker that has drained. */
  exit(): void
}

/** What a role does; the rest is the same for every worker. */
export interface Worker {
  /** @returns the addresses it listens on, for the log */
  start(): Promise<string[]>
  onMessage(message: RoleMessage): void
  reload(config: Config): void
  /** Takes nothing new; calls `context.exit()` when its last client is gone. */
  drain(): void
  /** Closes everything in good order, soon. */
  stop(): Promise<void>
  status(): Pick<WorkerStatus, 'connections' | 'streams' | 'hlsEdge'>
  /** @returns null when the question is none for this role */
  answer(question: WorkQuestion): Answer | null
}

/**
 * Runs a worker process: the control channel to the master, the log, signals and the end of the process.
 * Never returns; the process ends by the master's word, by a signal, or when it has drained.
 */
export function runWorker(role: WorkerRole, create: (context: WorkerContext) => Worker): void {
  let shell: WorkerShell | null = null
  const early: FromMaster[] = []
  const control = new Channel<ToMaster, FromMaster>(new Socket({ fd: controlFd }), {
    onMessage: (message) => {
      if (message.t === 'init') {
        WorkerShell.start(role, message, control, create).then(
          (started) => {
            shell = started
            for (const queued of early.splice(0)) started.onMessage(queued)
          },
          (error: unknown) => fail(control, error),
        )
      } else if (shell === null) early.push(message)
      else shell.onMessage(message)
    },
    onMedia: () => {
      throw new WeirError('IPC_FRAME', 'media on the control channel')
    },
    onClose: () => {
      if (shell === null) process.exit(1)
      shell.onOrphaned()
    },
  })
  // Ctrl-C at a terminal, and its end, reach every process of the group; the master speaks for all.
  process.on('SIGINT', () => {})
  process.on('SIGHUP', () => {})
  control.send({ t: 'hello', version: protocolVersion, pid: process.pid })
}

/** Tells the master why the worker cannot start, then ends. */
function fail(control: Channel<ToMaster, FromMaster>, error: unknown): void {
  control.send({ t: 'failed', code: codeOf(error), message: messageOf(error) })
  control.end()
  process.exitCode = 1
  setTimeout(() => process.exit(1), 1000).unref()
}

class WorkerShell {
  readonly #role: WorkerRole
  readonly #index: number
  readonly #log: ProcessLog
  readonly #control: Channel<ToMaster, FromMaster>
  readonly #worker: Worker
  readonly #meter = new ProcessMeter()
  #leaving = false

  private constructor(
    role: WorkerRole,
    init: InitMessage,
    log: ProcessLog,
    control: Channel<ToMaster, FromMaster>,
    create: (context: WorkerContext) => Worker,
  ) {
    this.#role = role
    this.#index = init.index
    this.#log = log
    this.#control = control
    this.#worker = create({
      index: init.index,
      socketPath: init.socketPath,
      serverId: init.serverId,
      ownToken: init.ownToken,
      config: init.config,
      logger: log.logger,
      send: (message) => control.send(message),
      exit: () => this.#exit(0),
    })
  }

  static async start(
    role: WorkerRole,
    init: InitMessage,
    control: Channel<ToMaster, FromMaster>,
    create: (context: WorkerContext) => Worker,
  ): Promise<WorkerShell> {
    if (init.version !== protocolVersion) {
      throw new WeirError(
        'IPC_VERSION',
        `master speaks version ${init.version}, this worker ${protocolVersion}`,
      )
    }
    const log = await openLog(role, init.log)
    const shell = new WorkerShell(role, init, log, control, create)
    shell.#catchSignals()
    const leftovers = new Leftovers(ownGauge())
    setInterval(() => leftovers.check(), leftoverCheckMs).unref()
    const endpoints = await shell.#worker.start()
    control.send({ t: 'ready', endpoints })
    return shell
  }

  onMessage(message: FromMaster): void {
    switch (message.t) {
      case 'init':
        throw new WeirError('IPC_FRAME', 'a second init message')
      case 'reload':
        this.#applyLog(message.log)
        this.#worker.reload(message.config)
        break
      case 'reopen-log':
        this.#log.reopen()
        break
      case 'ask':
        this.#onAsk(message.request, message.question)
        break
      case 'drain':
        this.#drain()
        break
      case 'stop':
        this.#stop()
        break
      default:
        this.#worker.onMessage(message)
    }
  }

  /** The master could open the file; this process may be out of file descriptors. */
  #applyLog(options: LogOptions): void {
    try {
      this.#log.apply(options)
    } catch (error) {
      this.#log.logger.error({ code: codeOf(error) }, `the log stays as it was: ${messageOf(error)}`)
    }
  }

  /** The master is gone without a word: go on for the clients there are, take no new ones. */
  onOrphaned(): void {
    if (this.#leaving) return
    this.#log.logger.error('the master is gone: serving the clients that are here, taking no new ones')
    this.#drain()
  }

  #drain(): void {
    if (this.#leaving) return
    this.#leaving = true
    this.#worker.drain()
  }

  #stop(): void {
    this.#leaving = true
    this.#worker.stop().then(
      () => this.#exit(0),
      (error: unknown) => {
        this.#log.logger.error({ code: codeOf(error), err: error }, 'stopping failed')
        this.#exit(1)
      },
    )
  }

  #catchSignals(): void {
    const leave = (signal: NodeJS.Signals): void => {
      if (this.#leaving) return
      this.#log.logger.info({ signal }, 'draining: a replacement takes new clients')
      // The master says when: the replacement shall listen before this worker stops to.
      if (this.#control.closed) this.#drain()
      else this.#control.send({ t: 'draining' })
    }
    process.on('SIGTERM', leave)
    process.on('SIGQUIT', leave)
    process.on('SIGUSR1', () => this.#log.reopen())
    process.on('SIGUSR2', () => this.#log.logger.info({ status: this.#status() }, 'status'))
    process.on('uncaughtException', (error) => {
      this.#log.logger.fatal({ code: codeOf(error), err: error }, 'this process has a bug and ends')
      this.#exit(1)
    })
  }

  #onAsk(request: number, question: Question): void {
    const answer = this.#answer(question)
    this.#control.send({ t: 'answer', request, answer: answer && encodeAnswer(answer) })
  }

  #answer(question: Question): Answer | null {
    if (question.ask === 'status') return { of: 'status', status: this.#status() }
    if (question.ask === 'usage') return { of: 'usage', usage: process.resourceUsage() }
    return this.#worker.answer(question)
  }

  #status(): WorkerStatus {
    return {
      role: this.#role,
      index: this.#index,
      ...this.#meter.read(),
      ...this.#worker.status(),
    }
  }

  #exit(code: number): void {
    this.#control.flush()
    this.#log.flush()
    process.exit(code)
  }
}
