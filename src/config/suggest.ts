/** Helps with a directive that does not exist where it was written. */
import { directivesOf, type Entries, sectionOf } from './schema/declare.ts'
import { configuration } from './schema/global.ts'
import { oneOf } from './schema/lines.ts'

/** A name that more sections have, such as `enabled`, is no hint to where it belongs. */
const maxPlaces = 3

/**
 * What the operator may have meant by an unknown name: the section that has such a directive, else a name that is
 * spelled much the same.
 * @param known the names that could have stood there
 * @returns the end of a sentence, from its semicolon on; '' when nothing comes to mind
 */
export function suggest(name: string, known: Iterable<string>): string {
  const places = placesOf(name)
  if (places.length > 0 && places.length <= maxPlaces) return `; it belongs in ${oneOf(places)}`
  const near = nearest(name, known)
  return near === null ? '' : `; did you mean "${near}"?`
}

/** The name among the known ones that takes the fewest edits, if these are few for its length. */
function nearest(name: string, known: Iterable<string>): string | null {
  let best: string | null = null
  let fewest = Math.min(3, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) >= fewest) continue
    const edits = editDistance(name, candidate)
    if (edits < fewest) [best, fewest] = [candidate, edits]
  }
  return best
}

/** Letters to insert, delete, replace, or swap with their neighbour to turn one word into the other. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1]
      const edits = [at(last, column) + 1, at(current, column - 1) + 1, at(last, column - 1) + (same ? 0 : 1)]
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (swapped) edits.push(at(beforeLast, column - 2) + 1)
      current.push(Math.min(...edits))
    }
    beforeLast = last
    last = current
  }
  return at(last, b.length)
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY
}

/** The sections that have a directive of this name, in words. */
function placesOf(name: string): string[] {
  const places: string[] = []
  const visit = (entries: Entries, place: string) => {
    const directives = directivesOf(entries)
    if (directives.has(name)) places.push(place)
    for (const [inner, entry] of directives) {
      const section = sectionOf(entry)
      if (section)
        visit(section.entries, place === topLevel ? `"${inner}"` : `${place.slice(0, -1)}/${inner}"`)
    }
  }
  visit(configuration.entries, topLevel)
  return places
}

const topLevel = 'the top level, outside of any section'
