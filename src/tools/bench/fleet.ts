/** Many clients of one thread: brings them up without a connect storm, and knows how many are up and what failed. */
import { monotonicMs } from '../../base/clock.ts'
import { codeOf, WeirError } from '../../base/errors.ts'
import type { ClientEvents, LoadClient } from './client.ts'

export interface RampOptions {
  readonly clients: number
  /** Clients that begin to connect in a second, at most. */
  readonly perSecond: number
  /** Clients that may be on their way at once; the next one begins when one of them is up or failed. */
  readonly maxConnecting: number
}

type Phase = 'connecting' | 'up' | 'failed'

interface Member<Client> {
  readonly client: Client
  phase: Phase
  bytesBefore: number
}

function measuredBytesOf({ client, bytesBefore }: Member<LoadClient>): number {
  return client.bytes - bytesBefore
}

export class Fleet<Client extends LoadClient> {
  readonly #options: RampOptions
  readonly #create: (index: number, events: ClientEvents) => Client
  readonly #members: Member<Client>[] = []
  readonly #errors = new Map<string, number>()
  #up = 0
  #connecting = 0
  #closed = false
  #wakeRamp: () => void = () => {}

  /** @param create makes a client that does nothing yet; the index is from 0 on */
  constructor(options: RampOptions, create: (index: number, events: ClientEvents) => Client) {
    this.#options = options
    this.#create = create
  }

  get up(): number {
    return this.#up
  }

  get failed(): number {
    return this.#members.length - this.#up - this.#connecting
  }

  /** Bytes of all clients since their start. */
  get bytes(): number {
    return this.#members.reduce((sum, { client }) => sum + client.bytes, 0)
  }

  /** Bytes of all clients since {@link measure}. */
  get measuredBytes(): number {
    return this.#members.reduce((sum, member) => sum + measuredBytesOf(member), 0)
  }

  /** Failures by code. */
  get errors(): ReadonlyMap<string, number> {
    return this.#errors
  }

  /** The clients that are up. */
  get clientsUp(): Client[] {
    return this.#members.filter(({ phase }) => phase === 'up').map(({ client }) => client)
  }

  /** Bytes of each client that is up, since {@link measure}. */
  measuredBytesOfEach(): Float64Array {
    return Float64Array.from(
      this.#members.filter(({ phase }) => phase === 'up'),
      measuredBytesOf,
    )
  }

  /** Starts all clients; resolves when each of them is up or has failed, or the fleet is closed. */
  async ramp(): Promise<void> {
    const { clients, perSecond, maxConnecting } = this.#options
    const begunMs = monotonicMs()
    for (let index = 0; index < clients; index++) {
      const waitMs = begunMs + (index * 1000) / perSecond - monotonicMs()
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
      while (this.#connecting >= maxConnecting && !this.#closed) await this.#settlement()
      if (this.#closed) return
      this.#begin(index)
    }
    while (this.#connecting > 0 && !this.#closed) await this.#settlement()
  }

  /** Measures bytes from now on. */
  measure(): void {
    for (const member of this.#members) member.bytesBefore = member.client.bytes
  }

  /** Counts an error that is no failure of the client. */
  countError(code: string): void {
    this.#errors.set(code, (this.#errors.get(code) ?? 0) + 1)
  }

  close(): void {
    this.#closed = true
    this.#wakeRamp()
    for (const { client, phase } of this.#members) if (phase !== 'failed') client.close()
  }

  #begin(index: number): void {
    const client = this.#create(index, {
      onUp: () => this.#enter(member, 'up'),
      onFailure: (error) => {
        this.countError(failureCode(error))
        this.#enter(member, 'failed')
      },
      onFault: (error) => this.countError(failureCode(error)),
    })
    const member: Member<Client> = { client, phase: 'connecting', bytesBefore: 0 }
    this.#members.push(member)
    this.#connecting += 1
    client.start()
  }

  #enter(member: Member<Client>, phase: 'up' | 'failed'): void {
    if (member.phase === 'connecting') this.#connecting -= 1
    else this.#up -= 1
    if (phase === 'up') this.#up += 1
    member.phase = phase
    this.#wakeRamp()
  }

  async #settlement(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wakeRamp = resolve
    })
  }
}

/** Of a closed connection the system's reason says more, if it gave one. */
function failureCode(error: Error): string {
  const isClosed = error instanceof WeirError && error.code === 'RTMP_CLOSED'
  return codeOf(isClosed && error.cause !== undefined ? error.cause : error)
}
