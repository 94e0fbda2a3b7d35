import type { Figures } from '../measure.ts'
import { cpuPerGb } from './peer-figures.ts'

/** How often each is measured. */
const rounds = 3

/** The measurements of one server or load. */
export interface Rounds {
  /** The one with the least CPU s per GB. */
  readonly best: Figures
  readonly all: readonly Figures[]
}

/**
 * Measures several servers or loads in turn, more than once, for figures that are close: a shared machine that is slower
 * for a quarter of a minute makes more of a difference than what is compared. What disturbs a measurement only adds to
 * it, so that the least is the one that says most.
 * @param measurements each does one whole measurement
 */
export async function alternate(
  measurements: readonly (() => Promise<Figures>)[],
): Promise<readonly Rounds[]> {
  const all = measurements.map((): Figures[] => [])
  for (let round = 0; round < rounds; round++) {
    for (const [index, measurement] of measurements.entries()) all[index]!.push(await measurement())
  }
  const costOf = (figures: Figures): number => cpuPerGb(figures) ?? Number.POSITIVE_INFINITY
  return all.map((figures) => ({ best: figures.toSorted((a, b) => costOf(a) - costOf(b))[0]!, all: figures }))
}

export const alternateNote = `Measured in turn, ${rounds} times each; the one with the least CPU s per GB counts, for each of them.`
