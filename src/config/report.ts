import { type ErrorCode, WeirError } from '../base/errors.ts'
import type { Position } from './lexer.ts'

/** So many problems are told at a time; the rest is counted. */
const maxProblems = 20

interface Remark {
  readonly at: Position
  readonly message: string
}

interface Problem extends Remark {
  readonly code: ErrorCode
}

/** Collects what is wrong with a configuration and what its operator should know; tells both sorted by place. */
export class Report {
  readonly #problems: Problem[] = []
  readonly #warnings: Remark[] = []

  /** Notes an error: the configuration cannot be used. */
  problem(code: ErrorCode, at: Position, message: string): void {
    this.#problems.push({ code, at, message })
  }

  /** Notes something that does not keep the configuration from being used. */
  warning(at: Position, message: string): void {
    this.#warnings.push({ at, message })
  }

  /** One line each: `conf/x.conf:12: …`. */
  warnings(): string[] {
    return this.#warnings.toSorted(byPlace).map(({ at, message }) => `${at.file}:${at.line}: ${message}`)
  }

  /**
   * Throws all problems as one error: the code of the first, and a line `conf/x.conf:12:5: …` for each of them.
   * Does nothing when there are none.
   */
  throwProblems(): void {
    const problems = this.#problems.toSorted(byPlace)
    const first = problems[0]
    if (!first) return
    const lines = problems
      .slice(0, maxProblems)
      .map(({ at, message }) => `${at.file}:${at.line}:${at.column}: ${message}`)
    if (problems.length > maxProblems) lines.push(`and ${problems.length - maxProblems} more problems`)
    throw new WeirError(first.code, lines.join('\n'))
  }
}

function byPlace({ at: a }: Remark, { at: b }: Remark): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1
  return a.line - b.line || a.column - b.column
}
