import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { Redis } from 'ioredis'
import { freePort } from '../e2e/support/free-port.ts'

/** A real Redis on a port of its own, without files: what it knows ends with it. */
export class RedisServer {
  readonly port: number
  readonly #options: readonly string[]
  #child: ChildProcess | null = null

  private constructor(port: number, options: readonly string[]) {
    this.port = port
    this.#options = options
  }

  /**
   * To be killed by who starts it.
   * @param options arguments of redis-server, a configuration file first
   */
  static async start(...options: readonly string[]): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), options)
    await server.run()
    return server
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** Starts it, also again on the same port. */
  async run(): Promise<void> {
    const address = ['--port', `${this.port}`, '--bind', '127.0.0.1']
    // A replica would else write down what it gets.
    const noFiles = ['--save', '', '--appendonly', 'no', '--repl-diskless-load', 'on-empty-db']
    const standard = [...address, ...(this.#options.includes('--sentinel') ? [] : noFiles)]
    const child = spawn('redis-server', [...this.#options, ...standard], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#child = child
    const failed = once(child, 'error').then(([error]) => {
      throw new Error(`redis-server cannot be started (scripts/setup-system.sh installs it): ${error}`)
    })
    await Promise.race([isReady(child), failed])
  }

  /** Ends it without a chance to say good-bye. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#child = null
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  /** It keeps its connections and answers nothing more. */
  freeze(): void {
    this.#child?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child?.kill('SIGCONT')
  }

  /** Asks it something over a connection of its own. */
  async ask<T>(question: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis(this.port, '127.0.0.1')
    // What goes wrong is the answer's error.
    redis.on('error', () => {})
    try {
      return await question(redis)
    } finally {
      redis.disconnect()
    }
  }
}

async function isReady(child: ChildProcess): Promise<void> {
  for await (const line of createInterface({ input: child.stdout! })) {
    if (/Ready to accept connections|Sentinel ID is/.test(line)) break
  }
  // Nobody reads further, and it must not wait for that.
  child.stdout!.resume()
}
