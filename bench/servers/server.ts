import type { ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { end, hasEnded, start } from '../system/child.ts'
import { pinned } from '../system/placement.ts'
import { freePort, untilAccepts } from '../system/port.ts'

/** A server that can be measured, with its settings. */
export interface ServerSetup {
  /** As in tables: `Weir`, `nginx-rtmp`. */
  readonly name: string
  /** The settings that matter, in a few words. */
  readonly setting: string
  /**
   * Writes its configuration.
   * @param dir an empty directory of its own
   * @param port where to listen, at 127.0.0.1; that it accepts there says that it has started
   * @param httpPort the same for HTTP, for a server that has both
   */
  prepare(dir: string, port: number, httpPort: number): Launch
}

/** How a prepared server is started. */
export interface Launch {
  readonly command: readonly string[]
  /** Environment variables beside this process's own. */
  readonly env?: Readonly<Record<string, string>>
}

const startTimeoutMs = 15_000

/** A server that runs. */
export class RunningServer {
  readonly setup: ServerSetup
  readonly dir: string
  readonly port: number
  readonly httpPort: number
  /** From the start of its process until it accepted a connection. */
  readonly startMs: number
  readonly #child: ChildProcess

  private constructor(
    setup: ServerSetup,
    dir: string,
    ports: readonly [number, number],
    startMs: number,
    child: ChildProcess,
  ) {
    this.setup = setup
    this.dir = dir
    this.port = ports[0]
    this.httpPort = ports[1]
    this.startMs = startMs
    this.#child = child
  }

  /**
   * @param parentDir where it may make a directory for its files
   * @param coreList the cores it may use, in taskset's notation
   * @throws Error when it does not accept connections in time
   */
  static async start(setup: ServerSetup, parentDir: string, coreList: string | null): Promise<RunningServer> {
    mkdirSync(parentDir, { recursive: true })
    const dir = mkdtempSync(join(parentDir, 's'))
    const port = await freePort()
    const httpPort = await freePort()
    const { command, env } = setup.prepare(dir, port, httpPort)
    const begin = performance.now()
    const child = start(pinned(coreList, command), { cwd: dir, env: { ...process.env, ...env } })
    try {
      await untilAccepts(port, () => hasEnded(child), startTimeoutMs)
    } catch (error) {
      await end(child)
      throw error
    }
    return new RunningServer(setup, dir, [port, httpPort], performance.now() - begin, child)
  }

  /** The root of its process tree: taskset and sh have become the server itself by exec. */
  get pid(): number {
    return this.#child.pid!
  }

  /** @param stream may hold `{i}`, which the load tool replaces by the number of the client */
  url(stream: string): string {
    return `rtmp://127.0.0.1:${this.port}/live/${stream}`
  }

  /** @param path as in `/live/s_0.flv` */
  httpUrl(path: string): string {
    return `http://127.0.0.1:${this.httpPort}${path}`
  }

  async stop(): Promise<void> {
    await end(this.#child)
  }
}
