import { type ChildProcess, spawn } from 'node:child_process'
import { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { isErrorCode, messageOf, WeirError } from '../base/errors.ts'
import type { LogOptions } from '../base/logger.ts'
import type { Config } from '../config/config.ts'
import { decodeAnswer } from '../ipc/answer-codec.ts'
import { Channel } from '../ipc/channel.ts'
import {
  controlFd,
  type EncodedAnswer,
  type FromMaster,
  protocolVersion,
  type Question,
  type ToMaster,
  type WorkerRole,
  type WorkerStatus,
} from '../ipc/contract.ts'

/** Where each role's main is, from this file's compiled place. */
const mains: Record<WorkerRole, string> = {
  stream: fileURLToPath(new URL('../stream/main.js', import.meta.url)),
  'back-source': fileURLToPath(new URL('../backsource/main.js', import.meta.url)),
  http: fileURLToPath(new URL('../http/main.js', import.meta.url)),
}

/**
 * A worker's young generation stays small: its garbage is short-lived buffers' handles, and memory is paid for
 * once per process.
 */
const nodeOptions: Record<WorkerRole, readonly string[]> = {
  stream: ['--max-semi-space-size=4', '--expose-gc'],
  'back-source': ['--max-semi-space-size=1', '--single-threaded', '--expose-gc'],
  http: ['--max-semi-space-size=16', '--expose-gc'],
}

/**
 * Settings of glibc's malloc. One arena for all threads: media is made and freed by one of them. Large buffers come from
 * the system and go back to it at once; by default, malloc keeps buffers of up to 32 MB once it has seen such.
 */
const mallocOptions = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: String(128 * 1024),
  MALLOC_TRIM_THRESHOLD_: String(1024 * 1024),
}

/** How long a worker may take to answer a question, in milliseconds. */
const answerTimeoutMs = 1000

/** How long a worker that closed its channel may take to end, in milliseconds. */
const endGraceMs = 2000

/** What a worker needs to start. */
export interface WorkerInit {
  readonly index: number
  readonly socketPath: string
  readonly serverId: string
  readonly ownToken: string
  readonly config: Config
  readonly log: LogOptions
}

/** A message that is about the worker's work, not about its process. */
export type WorkMessage = Exclude<ToMaster, { t: 'hello' | 'ready' | 'failed' | 'answer' }>

/** What a worker's owner hears. */
export interface WorkerListener {
  onReady(worker: WorkerHandle, endpoints: string[]): void
  onMessage(worker: WorkerHandle, message: WorkMessage): void
  /** Once. `error` tells why, when the worker could say it. */
  onExit(worker: WorkerHandle, error: WeirError): void
}

/**
 * One worker process as the master sees it. Messages may be sent at once, before it is even started: they wait until it has
 * booted.
 */
export class WorkerHandle {
  readonly role: WorkerRole
  readonly index: number
  readonly socketPath: string
  readonly #listener: WorkerListener
  /** Null before the start, and when the system could not start it. */
  #child: ChildProcess | null = null
  /** Null before the start. */
  #channel: Channel<FromMaster, ToMaster> | null = null
  /** What was sent before the start. */
  #early: FromMaster[] = []
  readonly #pending = new Map<number, (answer: EncodedAnswer | null) => void>()
  #nextRequest = 1
  #ready = false
  #exited = false
  #failure: WeirError | null = null
  /** The master asked it to end, or it said that it is draining: its exit is no failure. */
  leaving = false

  constructor(role: WorkerRole, init: WorkerInit, listener: WorkerListener) {
    this.role = role
    this.index = init.index
    this.socketPath = init.socketPath
    this.#listener = listener
    this.send({ t: 'init', version: protocolVersion, ...init })
  }

  /** Starts the process, once; not one that was told to end before. */
  start(): void {
    if (this.leaving || this.#exited || this.#channel !== null) return
    this.#child = this.#spawn()
    // Without file descriptors to spare there is no pipe; the child's error event tells.
    const pipe = (this.#child?.stdio?.[controlFd] as Socket | undefined) ?? new Socket()
    this.#channel = new Channel<FromMaster, ToMaster>(pipe, {
      onMessage: (message) => this.#onMessage(message),
      onMedia: () => {
        throw new WeirError('IPC_FRAME', 'media on the control channel')
      },
      onClose: (error) => {
        if (this.#exited) return
        // A process without its channel is one that nobody controls. In good order it ends by itself in a moment.
        if (error !== null)
          this.#failure ??= new WeirError('WORKER_EXIT', `${this.name}: ${error.message}`, error)
        setTimeout(() => this.kill(), error === null ? endGraceMs : 0).unref()
      },
    })
    this.#child?.once('error', (error) => this.#onExit(error.message))
    this.#child?.once('exit', (code, signal) => {
      this.#onExit(signal === null ? `exit status ${code}` : `killed by ${signal}`)
    })
    for (const message of this.#early) this.#channel.send(message)
    this.#early = []
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  get ready(): boolean {
    return this.#ready
  }

  get exited(): boolean {
    return this.#exited
  }

  /** Whether what is sent to it can arrive. */
  get reachable(): boolean {
    return !this.#exited && this.#channel?.closed === false
  }

  get name(): string {
    return `${this.role} ${this.index}`
  }

  send(message: FromMaster): void {
    if (this.#channel === null) this.#early.push(message)
    else this.#channel.send(message)
  }

  /** Asks the process to end in good order. One that was not started never is. */
  leave(how: 'stop' | 'drain'): void {
    this.leaving = true
    if (this.#channel === null) setImmediate(() => this.#onExit('not started'))
    else this.send({ t: how })
  }

  kill(): void {
    if (this.#exited) return
    if (this.#channel === null) this.#onExit('not started')
    else this.#child?.kill('SIGKILL')
  }

  /** @returns what the worker tells of itself, or null when it does not answer in time */
  async status(): Promise<WorkerStatus | null> {
    const encoded = await this.ask({ ask: 'status' })
    const answer = encoded && decodeAnswer(encoded)
    return answer?.of === 'status' ? answer.status : null
  }

  /** @returns the worker's answer; null when the question is none for it, or it does not answer in time */
  ask(question: Question): Promise<EncodedAnswer | null> {
    if (!this.#ready || this.#exited) return Promise.resolve(null)
    const request = this.#nextRequest
    this.#nextRequest += 1
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle(request, null), answerTimeoutMs)
      this.#pending.set(request, (answer) => {
        clearTimeout(timer)
        resolve(answer)
      })
      this.send({ t: 'ask', request, question })
    })
  }

  /** Most failures come as an event; some, such as a lack of memory, are thrown, and come as if by an event. */
  #spawn(): ChildProcess | null {
    try {
      return spawn(process.execPath, [...nodeOptions[this.role], mains[this.role]], {
        stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
        env: { ...process.env, ...mallocOptions },
      })
    } catch (error) {
      setImmediate(() => this.#onExit(messageOf(error)))
      return null
    }
  }

  #onMessage(message: ToMaster): void {
    switch (message.t) {
      case 'hello':
        break
      case 'ready':
        this.#ready = true
        this.#listener.onReady(this, message.endpoints)
        break
      case 'failed':
        this.#failure = new WeirError(
          isErrorCode(message.code) ? message.code : 'WORKER_BOOT',
          message.message,
        )
        break
      case 'answer':
        // The message lies in a buffer that is read into again.
        this.#settle(message.request, message.answer && Uint8Array.from(message.answer))
        break
      default:
        this.#listener.onMessage(this, message)
    }
  }

  #onExit(how: string): void {
    if (this.#exited) return
    this.#exited = true
    for (const request of [...this.#pending.keys()]) this.#settle(request, null)
    this.#channel?.close(null)
    this.#early = []
    const code = this.#ready ? 'WORKER_EXIT' : 'WORKER_BOOT'
    this.#listener.onExit(
      this,
      this.#failure ?? new WeirError(code, `${this.name} (pid ${this.pid}): ${how}`),
    )
  }

  #settle(request: number, answer: EncodedAnswer | null): void {
    this.#pending.get(request)?.(answer)
    this.#pending.delete(request)
  }
}
