import { isDeepStrictEqual } from 'node:util'
import type { Logger } from '../base/logger.ts'
import type { ProgramFacts } from '../ipc/program-facts.ts'
import { type ProgramCommand, SupervisedProgram } from './supervised-program.ts'

/** A program that shall run. */
export interface WantedProgram extends Pick<ProgramFacts, 'kind' | 'name' | 'vhost' | 'stream'> {
  readonly command: ProgramCommand
}

interface Running {
  readonly wanted: WantedProgram
  readonly program: SupervisedProgram
}

/** The programs that one owner runs; a changed configuration touches none that it does not change. */
export class ProgramSet {
  readonly #logger: Logger
  readonly #running: Running[] = []
  /** Programs that are not wanted any more, until they have ended. */
  readonly #ending = new Set<Promise<void>>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  get facts(): ProgramFacts[] {
    return this.#running.map(({ wanted: { kind, name, vhost, stream }, program }) => {
      return { kind, name, vhost, stream, ...program.state }
    })
  }

  /** Ends what is not among them, leaves alone what is, and starts the rest when what has to end has ended. */
  apply(wanted: readonly WantedProgram[]): void {
    for (const running of [...this.#running]) {
      if (!wanted.some((one) => isDeepStrictEqual(one, running.wanted))) this.#stop(running)
    }
    const added = wanted.filter((one) => !this.#running.some((other) => isDeepStrictEqual(one, other.wanted)))
    for (const one of added) this.#add(one)
  }

  /** Ends all of them. Resolves when they have ended. */
  async stop(): Promise<void> {
    this.apply([])
    await Promise.all(this.#ending)
  }

  #add(wanted: WantedProgram): void {
    const { kind, name, command } = wanted
    const logger = this.#logger.child({ [kind]: name })
    const running: Running = { wanted, program: new SupervisedProgram(command, logger) }
    this.#running.push(running)
    // What wrote to the same place before has to let it go. None of these fails.
    void Promise.all(this.#ending).then(() => {
      if (this.#running.includes(running)) running.program.start()
    })
  }

  #stop(running: Running): void {
    this.#running.splice(this.#running.indexOf(running), 1)
    const ending: Promise<void> = running.program.stop().finally(() => this.#ending.delete(ending))
    this.#ending.add(ending)
  }
}
