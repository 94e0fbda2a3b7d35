/** From the tree of directives to a configuration: values, defaults, errors with their place, warnings. */
import { isDeepStrictEqual } from 'node:util'
import { Check } from 'typebox/value'
import type { Config } from './config.ts'
import { withImplied } from './implied.ts'
import { type Position, shown } from './lexer.ts'
import type { Directive } from './parser.ts'
import { Report } from './report.ts'
import {
  type Declared,
  directivesOf,
  type Entries,
  isActedOn,
  type Line,
  type Named,
  nameOf,
  type Section,
} from './schema/declare.ts'
import { configuration } from './schema/global.ts'
import { modernize, olderNamesIn } from './spelling.ts'
import { suggest } from './suggest.ts'

export interface Interpretation {
  readonly config: Config
  /** One line each, with its place: `conf/x.conf:12: …`. */
  readonly warnings: readonly string[]
}

/**
 * Interprets the directives of a configuration, its includes resolved.
 * @throws WeirError with all problems, one per line, under the code of the first: CONFIG_UNKNOWN_DIRECTIVE,
 *   CONFIG_BAD_VALUE or CONFIG_DUPLICATE
 */
export function interpret(directives: readonly Directive[]): Interpretation {
  const report = new Report()
  const tree = withImplied(modernize(directives, report))
  const config = new Interpreter(report).section(configuration, tree, { path: '', quiet: false })
  report.throwProblems()
  // Each value was checked against its directive's schema, and the configuration's schema is made of these.
  return { config: config as Config, warnings: report.warnings() }
}

/** Where the interpreter is. */
interface Scope {
  /** Names of the sections around, joined by slashes; '' at the top level. */
  readonly path: string
  /** Whether a section around is not acted on as a whole, so that its lines need no warnings of their own. */
  readonly quiet: boolean
}

class Interpreter {
  readonly #report: Report

  constructor(report: Report) {
    this.#report = report
  }

  /** The values of all directives that can stand in a section; of those that do not, the defaults. */
  section(section: Section, directives: readonly Directive[], scope: Scope): Record<string, unknown> {
    const known = directivesOf(section.entries)
    for (const directive of directives) {
      if (!known.has(directive.name)) this.#unknown(directive, section, scope)
    }
    return this.#values(
      section.entries,
      Map.groupBy(directives, ({ name }) => name),
      scope,
    )
  }

  #values(entries: Entries, given: ReadonlyMap<string, Directive[]>, scope: Scope): Record<string, unknown> {
    const values = Object.entries(entries).map(([key, entry]) => {
      if (entry.kind === 'group') return [key, this.#values(entry.entries, given, scope)]
      const name = nameOf(key, entry)
      const path = scope.path === '' ? name : `${scope.path}/${name}`
      return [key, this.#value(entry, given.get(name) ?? [], { ...scope, path })]
    })
    return Object.fromEntries(values)
  }

  #value(declared: Declared, given: readonly Directive[], scope: Scope): unknown {
    switch (declared.kind) {
      case 'line':
        return this.#line(declared, declared.repeats ? given : this.#once(given), scope)
      case 'section': {
        const [directive] = this.#once(given)
        return directive ? this.#block(declared, directive, [0, 0], scope) : this.section(declared, [], scope)
      }
      case 'repeated':
        return given.map((directive) => this.#block(declared.section, directive, [0, 0], scope))
      case 'named':
        return this.#named(declared, given, scope)
      case 'parameters':
        return this.#once(given).flatMap((directive) => this.#parameters(directive))
    }
  }

  #line(line: Line, given: readonly Directive[], scope: Scope): unknown {
    const values = given.map((directive) => {
      const value = this.#arguments(line, directive)
      const unused = !line.about.acted && !isDeepStrictEqual(value, line.defaultValue)
      if (unused && !scope.quiet) this.#warnUnused(directive)
      return value
    })
    if (values.length === 0) return structuredClone(line.defaultValue)
    return line.repeats ? values.flat() : values[0]
  }

  #arguments(line: Line, directive: Directive): unknown {
    const { args, children } = directive
    const name = spelled(directive)
    if (children !== null) {
      this.#badValue(directive, directive, `"${name}" is no section: expected "${name} …;"`)
      return line.defaultValue
    }
    const [fewest, most] = line.arity
    if (args.length < fewest || args.length > most) {
      const message = `"${name}" takes ${argumentCount(line.arity)} (${line.accepts}), not ${args.length || 'none'}`
      this.#badValue(directive, args[most] ?? directive, message)
      return line.defaultValue
    }
    const value = line.read(args.map(({ text }) => text))
    if (Check(line.schema, value)) return value
    const wrong = args.find(({ text }) => !Check(line.schema, line.read([text]))) ?? args[0]
    this.#badValue(
      directive,
      wrong ?? directive,
      `"${name}" accepts ${line.accepts}, not ${shown(wrong?.text ?? '')}`,
    )
    return line.defaultValue
  }

  /** @param names fewest and most arguments between the directive's name and its brace */
  #block(
    section: Section,
    directive: Directive,
    names: readonly [number, number],
    scope: Scope,
  ): Record<string, unknown> {
    const { args, children } = directive
    const name = spelled(directive)
    if (children === null) {
      this.#badValue(directive, directive, `"${name}" is a section: expected "${name} { … }"`)
    } else if (args.length < names[0] || args.length > names[1]) {
      const message = `the section "${name}" takes ${argumentCount(names)} before its "{", not ${args.length || 'none'}`
      this.#badValue(directive, args[names[1]] ?? directive, message)
    }
    const unused = directive.written !== null && !isActedOn(section)
    const value = this.section(section, children ?? [], { ...scope, quiet: scope.quiet || unused })
    if (unused && !scope.quiet && this.#wantsSomething(section, value, scope)) this.#warnUnused(directive)
    return value
  }

  /** Whether a section asks for what a server without it would not do. */
  #wantsSomething(section: Section, value: Record<string, unknown>, scope: Scope): boolean {
    if (typeof value.enabled === 'boolean') return value.enabled
    return !isDeepStrictEqual(value, this.section(section, [], scope))
  }

  #named(declared: Named, given: readonly Directive[], scope: Scope): Record<string, unknown> {
    const sections = new Map<string, unknown>()
    const places = new Map<string, Directive>()
    for (const directive of given) {
      const value = this.#block(declared.section, directive, declared.names, scope)
      const names = directive.args.length === 0 ? [{ ...directive, text: '' }] : directive.args
      for (const name of names) {
        const first = places.get(name.text)
        if (first) this.#twice(name, `${spelled(directive)} ${name.text}`.trim(), first)
        // An object cannot have a key of this name that survives copying.
        if (name.text === '__proto__') this.#badValue(directive, name, `"${name.text}" cannot be a name`)
        places.set(name.text, directive)
        sections.set(name.text, structuredClone(value))
      }
    }
    return Object.fromEntries(sections)
  }

  #parameters(directive: Directive): string[][] {
    const name = spelled(directive)
    if (directive.children === null) {
      this.#badValue(directive, directive, `"${name}" is a section: expected "${name} { … }"`)
    }
    return (directive.children ?? []).map((line) => {
      if (line.children !== null) {
        this.#badValue(line, line, `there can be no sections in "${name}"`)
      }
      return [line.name, ...line.args.map(({ text }) => text)]
    })
  }

  /** The first directive, if there is one; any other is an error. */
  #once(given: readonly Directive[]): Directive[] {
    const [first, ...others] = given
    if (!first) return []
    for (const other of others) this.#twice(other, spelled(other), first)
    return [first]
  }

  #twice(at: Position, what: string, first: Position): void {
    this.#report.problem(
      'CONFIG_DUPLICATE',
      at,
      `${shown(what)} is given twice: here and at ${first.file}:${first.line}:${first.column}`,
    )
  }

  #badValue(directive: Directive, at: Position, message: string): void {
    // What Weir copied from elsewhere in the file is reported there.
    if (directive.written === null) return
    this.#report.problem('CONFIG_BAD_VALUE', at, message + semicolonHint(directive))
  }

  #unknown(directive: Directive, section: Section, scope: Scope): void {
    if (Object.hasOwn(section.foreign, directive.name)) {
      if (!scope.quiet && !isSwitchedOff(directive)) this.#warnUnused(directive)
      return
    }
    const known = [
      ...directivesOf(section.entries).keys(),
      ...olderNamesIn(scope.path),
      ...Object.keys(section.foreign),
    ]
    const place = scope.path === '' ? '' : ` in ${scope.path}`
    this.#report.problem(
      'CONFIG_UNKNOWN_DIRECTIVE',
      directive,
      `unknown directive ${shown(directive.name)}${place}${suggest(directive.name, known)}`,
    )
  }

  #warnUnused(directive: Directive): void {
    if (directive.written === null) return
    this.#report.warning(directive, `"${directive.written}" is accepted but not acted on (yet)`)
  }
}

/** A directive's name as its operator wrote it. */
function spelled(directive: Directive): string {
  return directive.written ?? directive.name
}

function argumentCount([fewest, most]: readonly [number, number]): string {
  if (most === 0) return 'no arguments'
  if (most === 1) return fewest === 1 ? 'one argument' : 'at most one argument'
  return most === fewest ? `${most} arguments` : 'one or more arguments'
}

function isSwitchedOff(directive: Directive): boolean {
  return directive.children?.some(({ name, args }) => name === 'enabled' && args[0]?.text === 'off') ?? false
}

/** When a directive swallowed the next line, the semicolon before it is what is wrong. */
function semicolonHint(directive: Directive): string {
  let line = directive.line
  for (const argument of directive.args) {
    if (argument.line > line) return ` (is a ";" missing at the end of line ${line}?)`
    line = argument.line
  }
  return ''
}
