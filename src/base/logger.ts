import pino from 'pino'
import { codeOf, messageOf, WeirError } from './errors.ts'

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error'

/** Where and how much a process logs. */
export interface LogOptions {
  /** `console`: standard output, pretty on a terminal and JSON elsewhere; `file`: JSON lines appended to `file`. */
  readonly tank: 'console' | 'file'
  readonly level: LogLevel
  readonly file: string
}

/** The logging interface that all layers use; pino's, so that children are cheap (`log.child({ cid })`). */
export type Logger = pino.Logger

/** The log of one process: a logger, and what an operator's signals do to it. */
export interface ProcessLog {
  readonly logger: Logger
  /** Opens the log file anew, after logrotate moved it away (SIGUSR1). If it cannot, the open one says so and stays. */
  reopen(): void
  /**
   * Applies other options while the process runs (reload), to all loggers there are.
   * @throws WeirError LOG_FILE when the file cannot be opened; what was in force stays so
   */
  apply(options: LogOptions): void
  /** Writes out what is buffered; for the last lines before the process ends. */
  flush(): void
}

/** Lines kept in memory while the disk does not take them; beyond it, lines are lost rather than the server stopped. */
const maxBufferedBytes = 4 * 1024 * 1024

type LogStream = pino.DestinationStream & { flushSync?(): void; end?(): void }

/** What a logger writes to: a file or standard output, exchangeable under the loggers that use it. */
class LogSink {
  readonly #terminal: LogStream | null
  #stream: LogStream
  #options: LogOptions

  /** @param terminal the pretty stream when standard output is a terminal */
  constructor(options: LogOptions, terminal: LogStream | null) {
    this.#options = options
    this.#terminal = terminal
    this.#stream = openStream(options, terminal)
  }

  write(line: string): void {
    this.#stream.write(line)
  }

  apply(options: LogOptions): void {
    if (options.tank === this.#options.tank && options.file === this.#options.file) return
    this.#open(options)
  }

  reopen(): void {
    if (this.#options.tank === 'file') this.#open(this.#options)
  }

  #open(options: LogOptions): void {
    const next = openStream(options, this.#terminal)
    this.flush()
    if (this.#options.tank === 'file') this.#stream.end?.()
    this.#stream = next
    this.#options = options
  }

  flush(): void {
    this.#stream.flushSync?.()
  }
}

function openStream(options: LogOptions, terminal: LogStream | null): LogStream {
  if (options.tank === 'console') return terminal ?? pino.destination({ dest: 1, sync: true })
  try {
    const destination = pino.destination({
      dest: options.file,
      append: true,
      mkdir: true,
      sync: true,
      maxLength: maxBufferedBytes,
    })
    destination.on('error', (error: Error) => {
      process.stderr.write(`weir: log file ${options.file}: ${error.message}\n`)
    })
    return destination
  } catch (error) {
    throw new WeirError('LOG_FILE', `srs_log_file ${options.file}: ${(error as Error).message}`, error)
  }
}

/** Loaded for a terminal only: a server under systemd or in a container does not carry it. */
async function terminalStream(): Promise<LogStream | null> {
  if (!process.stdout.isTTY) return null
  const { default: pretty } = await import('pino-pretty')
  return pretty({
    colorize: true,
    sync: true,
    destination: 1,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'hostname,role,pid,cid,sid',
    messageFormat: (line, messageKey) => {
      const who = `${line.role}[${line.pid}]`
      const connection = line.cid ? ` ${line.cid}` : ''
      const source = line.sid ? `<-${line.sid}` : ''
      return `${who}${connection}${source} ${line[messageKey]}`
    },
    singleLine: true,
  })
}

/**
 * Opens the log of this process. Every line carries `role` and `pid`; loggers of connections add `cid`
 * (connection id) and `sid` (source id: the connection id of the stream's publisher).
 * @throws WeirError LOG_FILE when the file cannot be opened
 */
export async function openLog(role: string, options: LogOptions): Promise<ProcessLog> {
  const sink = new LogSink(options, await terminalStream())
  const logger = pino(
    {
      level: options.level,
      base: { role, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    sink,
  )
  return {
    logger,
    reopen: () => {
      try {
        sink.reopen()
      } catch (error) {
        logger.error({ code: codeOf(error) }, `the log file was not opened anew: ${messageOf(error)}`)
      }
    },
    flush: () => sink.flush(),
    apply: (next) => {
      sink.apply(next)
      logger.level = next.level
    },
  }
}
