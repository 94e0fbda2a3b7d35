import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { StreamStatus, WorkerRole, WorkerStatus } from '../../../src/ipc/contract.ts'
import { serverStatus } from '../../../src/master/control.ts'
import type { ServerStatus } from '../../../src/master/control-contract.ts'
import { askMaster } from '../../../src/master/control-server.ts'
import { controlSocketOf } from '../../../src/master/runtime-dir.ts'
import { Command, type Finished, run } from './command.ts'
import { freePort } from './free-port.ts'
import { type LogLine, readLog } from './log.ts'
import { isRunning, killMarked, type LivingProcess, markName, processesMarked } from './processes.ts'
import { until, within } from './until.ts'

export const weirBinary = fileURLToPath(new URL('../../../bin/weir', import.meta.url))

/** What a fast stop promises, in milliseconds. */
const stopMs = 5000

/** Lines of the log that are shown for a test that failed. */
const shownLines = 30

/** What a test wants of the configuration. */
export interface ServerOptions {
  /** `worker_processes`; 1 unless the test is about several. */
  readonly workers?: number
  /** `http_workers`, and with them an HTTP server and API on one port; none unless the test is about HTTP. */
  readonly httpWorkers?: number
  /** What stands in the section of the HTTP server beside where it listens. */
  readonly httpServer?: string
  /** Directives of the top level, beside or instead of the harness's own. */
  readonly settings?: Readonly<Record<string, string | number>>
  /** What stands in the section of the default virtual host. */
  readonly vhost?: string
  /** Further text, such as other virtual hosts. */
  readonly more?: string
}

/**
 * A server in a directory of its own, which has its configuration, pid file, log and sockets. Whatever a test
 * started of it is ended when the test has finished, and it is an error if something is left then.
 */
export class Server {
  readonly dir = mkdtempSync(join(tmpdir(), 'weir-e2e-'))
  readonly port: number
  /** Of `http_server` and `http_api`, if the test has them. */
  readonly httpPort: number
  #options: ServerOptions
  #master: Command | null = null

  /** Makes the directory and the configuration; starts nothing. */
  static async prepare(options: ServerOptions = {}): Promise<Server> {
    const server = await Server.prepareShared(options)
    onTestFinished(async ({ task }) => {
      if (task.result?.state === 'fail') server.showLog()
      await server.cleanUp()
    })
    return server
  }

  /** The same for more than one test: whoever asks for it cleans up; see shared-server.ts. */
  static async prepareShared(options: ServerOptions): Promise<Server> {
    return new Server(await freePort(), await freePort(), options)
  }

  private constructor(port: number, httpPort: number, options: ServerOptions) {
    this.port = port
    this.httpPort = httpPort
    this.#options = options
    this.configure(options)
  }

  get configFile(): string {
    return join(this.dir, 'weir.conf')
  }

  get pidFile(): string {
    return join(this.dir, 'weir.pid')
  }

  get logFile(): string {
    return join(this.dir, 'weir.log')
  }

  get runtimeDir(): string {
    return join(this.dir, 'run')
  }

  /** The master's process. */
  get master(): Command {
    if (this.#master === null) throw new Error('the server was not started')
    return this.#master
  }

  url(stream: string): string {
    return `rtmp://127.0.0.1:${this.port}/live/${stream}`
  }

  /** Where HTTP serves a path: `/live/one.flv`. */
  httpUrl(path: string): string {
    return `http://127.0.0.1:${this.httpPort}${path}`
  }

  /** The directory that `http_server` serves. */
  get htmlDir(): string {
    return join(this.dir, 'html')
  }

  /** Writes the configuration; a running server takes it up when it reloads. */
  configure(options: ServerOptions): void {
    this.#options = options
    const { workers = 1, httpWorkers = 0, httpServer = '', settings, vhost = '', more = '' } = options
    const directives = {
      listen: this.port,
      worker_processes: workers,
      pid: './weir.pid',
      runtime_dir: './run',
      daemon: 'off',
      srs_log_tank: 'file',
      srs_log_file: './weir.log',
      ...(httpWorkers > 0 ? { http_workers: httpWorkers } : {}),
      ...settings,
    }
    const lines = Object.entries(directives).map(([name, value]) => `${name} ${value};`)
    if (httpWorkers > 0) {
      lines.push(`http_server { enabled on; listen ${this.httpPort}; dir ./html; ${httpServer} }`)
      lines.push(`http_api { enabled on; listen ${this.httpPort}; }`)
    }
    this.writeConfig([...lines, `vhost __defaultVhost__ {\n${vhost}\n}`, more, ''].join('\n'))
  }

  /** Changes some directives of the top level and leaves the rest. */
  change(settings: Readonly<Record<string, string | number>>): void {
    this.configure({ ...this.#options, settings: { ...this.#options.settings, ...settings } })
  }

  /** Writes a configuration as it is. */
  writeConfig(text: string): void {
    writeFileSync(this.configFile, text)
  }

  /** Runs the program with this configuration to its end: `weir('-t')`, `weir('ctl', 'status')`. */
  weir(...args: string[]): Promise<Finished> {
    return run(weirBinary, ['-c', this.configFile, ...args], { cwd: this.dir, env: this.#env })
  }

  /** Runs the program with this configuration, without waiting for its end. */
  command(): Command {
    return new Command(weirBinary, ['-c', this.configFile], { cwd: this.dir, env: this.#env })
  }

  /**
   * Starts a master and waits until it accepts clients.
   * @throws Error with what it printed when it ends instead
   */
  async start(): Promise<this> {
    const options = { cwd: this.dir, env: this.#env, endedByOwner: true }
    const master = new Command(weirBinary, ['-c', this.configFile], options)
    this.#master = master
    await until('the server to accept clients', () => {
      if (master.finished !== null) throw new Error(`the server did not start: ${master.stderr}`)
      return master.stderr.includes('accepts clients on')
    })
    return this
  }

  /** Has the configuration read again, and waits until it is in force. */
  async reload(): Promise<void> {
    const reloads = (): number => this.logs().filter(({ msg }) => msg === 'reloaded').length
    const before = reloads()
    this.master.signal('SIGHUP')
    await until('the reload', () => reloads() > before)
  }

  /** Stops the master and checks that nothing is left. */
  async stop(): Promise<void> {
    this.master.signal('SIGTERM')
    await this.hasEnded()
  }

  /** Waits for the end of a master that was told to stop, and checks that it is a clean one. */
  async hasEnded(timeoutMs = stopMs): Promise<void> {
    const { status, signal, stderr } = await within('the server to stop', this.master.exited, timeoutMs)
    if (status !== 0) throw new Error(`the server ended with status ${status}, signal ${signal}: ${stderr}`)
    this.assertNothingLeft()
  }

  /** @throws Error naming each process, socket and pid file that the server left behind */
  assertNothingLeft(): void {
    const processes = this.processes().map(({ pid, title }) => `process ${pid} (${title})`)
    const sockets = existsSync(this.runtimeDir) ? readdirSync(this.runtimeDir, { recursive: true }) : []
    const pidFiles = readdirSync(this.dir).filter((name) => name.startsWith('weir.pid'))
    const left = [...processes, ...sockets.map(String), ...pidFiles]
    if (left.length > 0) throw new Error(`the server left behind: ${left.join(', ')}`)
  }

  /** All living processes of this server, whoever their parent is. */
  processes(): LivingProcess[] {
    return processesMarked(this.dir)
  }

  /** The pid in the pid file; null without one. */
  pidInFile(): number | null {
    return existsSync(this.pidFile) ? Number(readFileSync(this.pidFile, 'utf8')) : null
  }

  logs(): LogLine[] {
    return readLog(this.logFile)
  }

  /**
   * Waits for a line of the log.
   * @param matches a test of a line, or fields that it has with these values
   */
  waitForLog(matches: ((line: LogLine) => boolean) | Partial<LogLine>): Promise<LogLine> {
    const isIt =
      typeof matches === 'function'
        ? matches
        : (line: LogLine) => Object.entries(matches).every(([field, value]) => line[field] === value)
    const what = typeof matches === 'function' ? String(matches) : JSON.stringify(matches)
    return until(`a log line with ${what}`, () => this.logs().find(isIt))
  }

  /**
   * What `weir ctl status` tells; asked without a process of its own for each of the many times, and of the master that was
   * started here without a search of all processes.
   */
  status(): Promise<ServerStatus> {
    if (this.#master === null) return serverStatus({ pid: this.pidFile, runtimeDir: this.runtimeDir })
    return askMaster(controlSocketOf(this.runtimeDir, this.#master.pid))
  }

  /** Waits until the status is as wanted, and returns it. */
  waitForStatus(what: string, matches: (status: ServerStatus) => boolean): Promise<ServerStatus> {
    return until(what, async () => {
      const status = await this.status()
      return matches(status) && status
    })
  }

  /**
   * Waits until that many workers have subscribed to a stream: what is published from then on is in all players'
   * reach, whatever the server keeps of the past.
   */
  async waitForSubscribers(stream: string, workers = 1): Promise<void> {
    await this.waitForStatus(`${workers} subscribers of ${stream}`, (status) =>
      backSourcesOf(status, stream).some(({ streams }) =>
        streams.some((held) => nameOf(held) === stream && held.players >= workers),
      ),
    )
  }

  /** Resident memory of the only stream worker. */
  async streamWorkerBytes(): Promise<number> {
    const [worker] = workersOf(await this.status(), 'stream')
    if (worker === undefined) throw new Error('no stream worker answered')
    return worker.rssBytes
  }

  get #env(): NodeJS.ProcessEnv {
    return { [markName]: this.dir }
  }

  /** Ends whatever is left of it, and removes its directory. */
  async cleanUp(): Promise<void> {
    try {
      if (this.#master !== null && isRunning(this.#master.pid)) await this.stop()
      else await until('all workers to be gone', () => this.processes().length === 0, stopMs)
    } finally {
      killMarked(this.dir)
      rmSync(this.dir, { recursive: true, force: true })
    }
  }

  /** For a test that failed. */
  showLog(): void {
    const lines = existsSync(this.logFile) ? readFileSync(this.logFile, 'utf8').trimEnd().split('\n') : []
    console.error(['the end of the server log:', ...lines.slice(-shownLines)].join('\n'))
  }
}

/** Starts a server and waits until it accepts clients. */
export async function startServer(options: ServerOptions = {}): Promise<Server> {
  const server = await Server.prepare(options)
  return server.start()
}

/** The workers of one role in a status. */
export function workersOf(status: ServerStatus, role: WorkerRole): WorkerStatus[] {
  return status.workers.filter((worker) => worker.role === role)
}

/** The back-sources that hold a stream (all if none is named), with the spare ones left out. */
export function backSourcesOf(status: ServerStatus, stream?: string): WorkerStatus[] {
  return workersOf(status, 'back-source').filter(({ streams }) =>
    streams.some((held) => stream === undefined || nameOf(held) === stream),
  )
}

/** A stream's name without its vhost and application. */
function nameOf({ stream }: StreamStatus): string {
  return stream.slice(stream.lastIndexOf('/') + 1)
}
