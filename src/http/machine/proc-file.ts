import { readFileSync } from 'node:fs'
import { codeOf } from '../../base/errors.ts'

/** What the system says where there is no such file, or no such process any more. */
const absent: readonly string[] = ['ENOENT', 'ESRCH', 'EACCES']

/**
 * Reads a file of Linux's /proc: its content is made in memory, at once.
 * @returns null where there is none: on another system, or of a process that is gone
 */
export function readProc(path: string): string | null {
  try {
    return readFileSync(`/proc/${path}`, 'utf8')
  } catch (error) {
    if (absent.includes(codeOf(error))) return null
    throw error
  }
}

/** The number behind a name, as in `MemTotal:  123 kB` or `pgpgin 5`; 0 without such a line. */
export function numberOf(text: string, name: string): number {
  return Number(new RegExp(`^${name}:?\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0)
}

/** All numbers in a text, in their order. */
export function numbersIn(text: string): number[] {
  return [...text.matchAll(/-?\d+(?:\.\d+)?/g)].map(([number]) => Number(number))
}
