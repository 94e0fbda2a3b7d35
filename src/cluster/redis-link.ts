import { Cluster, Redis } from 'ioredis'
import { messageOf, WeirError } from '../base/errors.ts'
import type { RedisPlace } from '../config/redis-url.ts'
import { type ScriptName, scripts } from './scripts.ts'

type Argument = string | number
/** One call of a script: its key, then its arguments. */
export type ScriptCall = readonly [key: string, ...args: Argument[]]

/**
 * How long Redis may be silent until the connection is given up, and with it whatever waits for an answer, in milliseconds: three
 * times as long as a look-up waits. A stream that was taken without an answer may be another node's: that is worth some
 * patience, as long as an encoder has it.
 */
function silenceMsOf(timeoutMs: number): number {
  return Math.min(3 * timeoutMs, 10_000)
}

/** How long a new connection is waited for after the n-th failure, in milliseconds: a restarted Redis is found within a second. */
function retryDelayMs(attempts: number): number {
  return Math.min(1000, 50 * 2 ** Math.min(attempts, 10)) * (0.75 + Math.random() / 2)
}

/** The scripts as ioredis offers them: commands of their names. */
type Scripted = Record<ScriptName, (...args: Argument[]) => Promise<unknown>>

export interface RedisLinkEvents {
  /** There is a connection, the first one or a new one. */
  onReady(): void
  onMessage(channel: string, message: string): void
  /** @param isListening whether messages are heard from now on; not all of those before were, perhaps */
  onListening(isListening: boolean): void
  /** Redis does not let it listen. */
  onDeaf(error: unknown): void
}

/**
 * The connection to Redis: one server, a group behind Sentinels, or a Redis Cluster. It is made again by itself. What is
 * asked while there is none fails at once, and every call has a time limit: nothing waits for a Redis that is away, and
 * nothing is sent late. One that is silent for longer than its limit allows is away.
 */
export class RedisLink {
  readonly #client: Redis | Cluster
  readonly #listener: Redis | Cluster
  readonly #timeoutMs: number
  #lastError = ''

  /**
   * @param timeoutMs how long a look-up may take; what is written may take longer
   * @param name by which Redis lists the connection
   * @param channels whose messages are listened to
   */
  constructor(
    place: RedisPlace,
    timeoutMs: number,
    name: string,
    channels: readonly string[],
    events: RedisLinkEvents,
  ) {
    this.#timeoutMs = timeoutMs
    this.#client = connect(place, timeoutMs, name)
    this.#client.on('error', (error: unknown) => {
      this.#lastError = messageOf(error)
    })
    this.#client.on('ready', () => events.onReady())
    this.#listener = connect(place, timeoutMs, `${name}-listener`, true)
    // What is wrong with it is wrong with the other one too, and told there.
    this.#listener.on('error', () => {})
    this.#listener.on('message', (channel: string, message: string) => events.onMessage(channel, message))
    this.#listener.on('ready', () => {
      this.#listener.subscribe(...channels).then(
        () => events.onListening(true),
        (error: unknown) => events.onDeaf(error),
      )
    })
    this.#listener.on('close', () => events.onListening(false))
  }

  get isReady(): boolean {
    return this.#client.status === 'ready'
  }

  /** Why the last connection failed; '' if none did. */
  get lastError(): string {
    return this.#lastError
  }

  /**
   * Runs a script.
   * @throws WeirError REDIS when there is no connection, no answer in time, or an error for an answer
   */
  run(name: ScriptName, call: ScriptCall): Promise<unknown> {
    return this.#limited(name, scripted(this.#client)[name](...call), this.#patienceMs)
  }

  /**
   * Runs a script that only looks something up, for which nobody waits long.
   * @throws WeirError REDIS as {@link run}
   */
  read(name: ScriptName, call: ScriptCall): Promise<unknown> {
    return this.#limited(name, scripted(this.#client)[name](...call))
  }

  /**
   * Runs a script once for each call, sent together.
   * @throws WeirError REDIS as {@link run}, also when only one of them fails
   */
  runAll(name: ScriptName, calls: readonly ScriptCall[]): Promise<unknown[]> {
    if (calls.length === 0) return Promise.resolve([])
    // The keys of a pipeline have to be of one node of a Redis Cluster.
    if (this.#client instanceof Cluster) return Promise.all(calls.map((call) => this.run(name, call)))
    const pipeline = this.#client.pipeline()
    for (const call of calls) scripted(pipeline)[name](...call)
    const answers = pipeline.exec().then((all) =>
      (all ?? []).map(([error, answer]) => {
        if (error !== null) throw error
        return answer
      }),
    )
    return this.#limited(name, answers, this.#patienceMs)
  }

  /**
   * Some fields of a hash.
   * @throws WeirError REDIS as {@link run}
   */
  fields(key: string, ...names: string[]): Promise<(string | null)[]> {
    return this.#limited('hmget', this.#client.hmget(key, ...names))
  }

  /**
   * Until a key expires, in milliseconds; below 0: it does not, or is not there.
   * @throws WeirError REDIS as {@link run}
   */
  leftMs(key: string): Promise<number> {
    return this.#limited('pttl', this.#client.pttl(key))
  }

  /**
   * Takes a member out of a sorted set.
   * @throws WeirError REDIS as {@link run}
   */
  unlist(key: string, member: string): Promise<number> {
    return this.#limited('zrem', this.#client.zrem(key, member), this.#patienceMs)
  }

  /** Ends the connections; what is under way fails. */
  close(): void {
    this.#client.disconnect()
    this.#listener.disconnect()
  }

  /** Longer than a connection may be silent: a Redis Cluster is asked again over another one. */
  get #patienceMs(): number {
    return silenceMsOf(this.#timeoutMs) + this.#timeoutMs
  }

  #limited<T>(what: string, answer: Promise<T>, limitMs = this.#timeoutMs): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new WeirError('REDIS', `${what}: no answer within ${limitMs} ms`))
      }, limitMs)
      answer
        .then(resolve, (error: unknown) => {
          reject(new WeirError('REDIS', `${what}: ${this.#lastError || messageOf(error)}`, error))
        })
        .finally(() => clearTimeout(timer))
    })
  }
}

function scripted(client: object): Scripted {
  return client as Scripted
}

/** @param listens whether the connection is for messages alone: then it waits for its turn as long as it takes */
function connect(place: RedisPlace, timeoutMs: number, name: string, listens = false): Redis | Cluster {
  const { servers, username, password, tls, database, group, kind } = place
  const own = Object.entries(scripts).map(([key, lua]) => [key, { lua, numberOfKeys: 1 }] as const)
  const each = {
    connectionName: name,
    connectTimeout: Math.max(1000, timeoutMs),
    // A connection that does not answer is given up, so that a server behind it that has moved is found.
    socketTimeout: silenceMsOf(timeoutMs),
    // What was sent and not answered has failed: it was answered for meanwhile.
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
  }
  const all = { scripts: Object.fromEntries(own), enableOfflineQueue: listens }
  if (kind === 'cluster') {
    return new Cluster([...servers], {
      ...all,
      redisOptions: each,
      clusterRetryStrategy: retryDelayMs,
      maxRedirections: 4,
      // A certificate is for a name, and looking the name up would leave its address only.
      ...(tls ? { dnsLookup: (host, done) => done(null, host) } : {}),
    })
  }
  const single = { ...each, ...all, db: database, retryStrategy: retryDelayMs }
  if (kind === 'sentinel') {
    const sentinels = { sentinels: [...servers], sentinelRetryStrategy: retryDelayMs }
    return new Redis({ ...single, ...sentinels, name: group, enableTLSForSentinelMode: tls })
  }
  const [first] = servers
  return new Redis({ ...single, host: first?.host ?? 'localhost', port: first?.port ?? 6379 })
}
