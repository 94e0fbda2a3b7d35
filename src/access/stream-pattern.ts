/**
 * Patterns of streams, as tokens have them: `live/show`, `live/*`, `*`. A star in a pattern stands for any characters
 * but slashes; one that is the whole pattern, for everything.
 */

/** Patterns beyond it match nothing: no name is as long. */
const maxPatternLength = 1024

/** @param name `app/stream` */
export function matchesStream(pattern: string, name: string): boolean {
  if (pattern === '*') return true
  if (pattern.length > maxPatternLength) return false
  const [patterns, segments] = [pattern.split('/'), name.split('/')]
  return (
    patterns.length === segments.length &&
    patterns.every((part, index) => matchesSegment(part, segments[index] ?? ''))
  )
}

/** In time that is linear in both: what is between two stars is best matched as early as it can be. */
function matchesSegment(pattern: string, segment: string): boolean {
  const [first = '', ...others] = pattern.split('*')
  const last = others.pop()
  if (last === undefined) return segment === first
  if (!segment.startsWith(first)) return false
  let at = first.length
  for (const part of others) {
    const found = segment.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return segment.length - last.length >= at && segment.endsWith(last)
}
