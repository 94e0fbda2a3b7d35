import type { Figures } from '../measure.ts'
import { cpuPerGb } from './peer-figures.ts'

/** How often each is measured. */
const rounds = 3

/**
 * Measures several servers or loads in turn, more than once, and gives of each the measurement in the middle by CPU s per
 * GB. For figures that are close: a shared machine that is slower for a quarter of a minute makes more of a difference
 * than what is compared.
 * @param measurements each does one whole measurement
 */
export async function alternate(
  measurements: readonly (() => Promise<Figures>)[],
): Promise<readonly Figures[]> {
  const all = measurements.map((): Figures[] => [])
  for (let round = 0; round < rounds; round++) {
    for (const [index, measurement] of measurements.entries()) all[index]!.push(await measurement())
  }
  return all.map((figures) => {
    const sorted = figures.toSorted((a, b) => (cpuPerGb(a) ?? 0) - (cpuPerGb(b) ?? 0))
    return sorted[(rounds - 1) / 2]!
  })
}

export const alternateNote = `Measured in turn, ${rounds} times each; the one in the middle by CPU s per GB counts.`
