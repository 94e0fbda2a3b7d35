/**
 * Older spellings. SRS moved and renamed directives between its versions; here the tree of an older file is rewritten
 * into the newest spelling, so that the interpreter has one place for each directive.
 */
import { shown } from './lexer.ts'
import type { Directive } from './parser.ts'
import type { Report } from './report.ts'
import { directivesOf, type Entries, type OlderSpelling, sectionOf } from './schema/declare.ts'
import { configuration } from './schema/global.ts'
import { oneOf } from './schema/lines.ts'
import { suggest } from './suggest.ts'

/** Where a directive of an older spelling goes. */
interface Move {
  /** The names of the newest spelling, from the top level: the sections, then the directive. */
  readonly to: readonly string[]
  readonly words: OlderSpelling['words']
}

/** Older spellings by the path of their names, such as `vhost/mr/latency`. */
const moves = new Map<string, Move>()
/** Sections of which nothing is left but older spellings, such as `vhost/mr`: the names that they had in them. */
const emptied = new Map<string, string[]>()
/** The paths of all directives in the newest spelling. */
const newest = new Set<string>()

function collect(entries: Entries, path: readonly string[]): void {
  for (const [name, directive] of directivesOf(entries)) {
    const to = [...path, name]
    newest.add(to.join('/'))
    for (const [older, { words }] of Object.entries(directive.about.formerly ?? {}))
      moves.set(older, { to, words })
    const section = sectionOf(directive)
    if (section) collect(section.entries, to)
  }
}
collect(configuration.entries, [])
for (const path of moves.keys()) {
  const [section, name] = [path.slice(0, path.lastIndexOf('/')), path.slice(path.lastIndexOf('/') + 1)]
  if (path.includes('/') && !newest.has(section))
    emptied.set(section, [...(emptied.get(section) ?? []), name])
}

/** The names that older versions of SRS had in a section, by the path of its names; '' is the top level. */
export function olderNamesIn(path: string): string[] {
  const prefix = path === '' ? '' : `${path}/`
  return [...moves.keys(), ...emptied.keys()]
    .filter((older) => older.startsWith(prefix) && !older.slice(prefix.length).includes('/'))
    .map((older) => older.slice(prefix.length))
}

/**
 * Rewrites directives into their newest spelling. When a file has both spellings of one, the newer stays and the
 * older is dropped with a warning.
 */
export function modernize(directives: readonly Directive[], report: Report): Directive[] {
  return new Modernizer(report).rewrite(directives, [])
}

/** A directive that leaves its place. */
interface Moved {
  readonly directive: Directive
  /** The way to its new place, from the section that is being rewritten. */
  readonly to: readonly string[]
}

class Modernizer {
  readonly #report: Report

  constructor(report: Report) {
    this.#report = report
  }

  /** @param path the names of the sections around these directives */
  rewrite(directives: readonly Directive[], path: readonly string[]): Directive[] {
    const stay: Directive[] = []
    const moved: Moved[] = []
    for (const directive of directives) {
      const names = [...path, directive.name]
      if (isOlder(directive, names)) {
        moved.push(...this.#move(directive, names, path.length))
      } else if (emptied.has(keyOf(names))) {
        for (const child of this.#childrenOf(directive, keyOf(names))) {
          moved.push(...this.#move(child, [...names, child.name], path.length))
        }
      } else if (directive.children === null) {
        stay.push(directive)
      } else {
        stay.push({ ...directive, children: this.rewrite(directive.children, names) })
      }
    }
    return this.#place(stay, moved, path)
  }

  /** The directive as it is spelled today; nothing when its argument is none of the words that it had then. */
  #move(directive: Directive, names: readonly string[], depth: number): Moved[] {
    const move = moves.get(keyOf(names))
    if (!move) return []
    const to = move.to.slice(depth)
    if (!move.words) return [{ directive, to }]
    const args = []
    for (const argument of directive.args) {
      const text = Object.hasOwn(move.words, argument.text) ? move.words[argument.text] : undefined
      if (text === undefined) {
        const accepts = oneOf(Object.keys(move.words))
        this.#report.problem(
          'CONFIG_BAD_VALUE',
          argument,
          `"${directive.name}" accepts ${accepts}, not ${shown(argument.text)}`,
        )
        return []
      }
      args.push({ ...argument, text })
    }
    return [{ directive: { ...directive, args }, to }]
  }

  /** What stands in a section that no longer exists, without what never belonged there. */
  #childrenOf(directive: Directive, key: string): Directive[] {
    if (directive.children === null) {
      this.#report.problem(
        'CONFIG_BAD_VALUE',
        directive,
        `"${directive.name}" is a section: expected "${directive.name} { … }"`,
      )
      return []
    }
    const known = emptied.get(key) ?? []
    return directive.children.filter((child) => {
      if (known.includes(child.name)) return true
      const hint = suggest(child.name, known)
      this.#report.problem(
        'CONFIG_UNKNOWN_DIRECTIVE',
        child,
        `unknown directive ${shown(child.name)} in ${key}${hint}`,
      )
      return false
    })
  }

  #place(siblings: readonly Directive[], moved: readonly Moved[], path: readonly string[]): Directive[] {
    const placed = [...siblings]
    const newer = new Map(siblings.map((directive) => [directive.name, directive]))
    for (const [name, arrivals] of Map.groupBy(moved, ({ to }) => to[0] ?? '')) {
      const here = arrivals.filter(({ to }) => to.length === 1)
      const existing = newer.get(name)
      if (existing) for (const { directive } of here) this.#warnOfBoth(directive, existing, [...path, name])
      else placed.push(...here.map(({ directive }) => ({ ...directive, name })))

      const inside = arrivals
        .filter(({ to }) => to.length > 1)
        .map(({ directive, to }) => ({ directive, to: to.slice(1) }))
      if (inside.length === 0) continue
      const index = siblings.findIndex((directive) => directive.name === name && directive.children !== null)
      const section = siblings[index] ?? unwrittenSection(name, inside[0]!.directive, path)
      placed[index === -1 ? placed.length : index] = {
        ...section,
        children: this.#place(section.children ?? [], inside, [...path, name]),
      }
    }
    return placed
  }

  #warnOfBoth(older: Directive, newer: Directive, names: readonly string[]): void {
    const place = `${newer.file}:${newer.line}`
    this.#report.warning(
      older,
      `"${older.name}" is ignored: its newer spelling, ${names.join('/')}, is given too, at ${place}`,
    )
  }
}

/** Whether a directive is of an older spelling. `forward` was a line and is a section now: there the form tells. */
function isOlder(directive: Directive, names: readonly string[]): boolean {
  const key = keyOf(names)
  return moves.has(key) && (directive.children === null || !newest.has(key))
}

/** The path of names as the tables have it. A quoted name with a slash in it is no path, and nothing is spelled so. */
function keyOf(names: readonly string[]): string {
  return names.some((name) => name.includes('/')) ? '' : names.join('/')
}

/**
 * A section that the file lacks, to hold directives of an older spelling. Where the section has a switch, the older
 * spelling had none, and did what it said.
 */
function unwrittenSection(name: string, directive: Directive, path: readonly string[]): Directive {
  const { file, line, column } = directive
  const place = { file, line, column, written: null }
  const enabled: Directive = { ...place, name: 'enabled', args: [{ ...place, text: 'on' }], children: null }
  const hasSwitch = newest.has([...path, name, 'enabled'].join('/'))
  return { ...place, name, args: [], children: hasSwitch ? [enabled] : [] }
}
