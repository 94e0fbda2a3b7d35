/**
 * How a directive is declared. One declaration says all there is to know about it: how its arguments are read, the
 * JSON Schema (and with it the TypeScript type) of the value, its default, its unit, what it does, which versions of
 * SRS have it, how older ones spelled it, and whether Weir acts on it. The interpreter, the type `Config`,
 * docs/configuration.md and conf/full.conf all follow from it.
 *
 * Values sit in the configuration under the camelCase of the directive's name: `gop_cache` is `gopCache`.
 */

import type { Static, TArray, TObject, TRecord, TSchema, TString } from 'typebox'
import * as Type from 'typebox'

/** A version of SRS that Weir's configuration follows. */
export type SrsVersion = 1 | 2 | 6

/** How older versions of SRS spelled a directive or a section that has moved or was renamed since. */
export interface OlderSpelling {
  readonly srs: readonly SrsVersion[]
  /** What the old words mean in today's words, when these were renamed too. */
  readonly words?: Readonly<Record<string, string>>
}

/** What is said of a directive or section beside its type. */
export interface About {
  /** The versions of SRS that have it, under this name and in this place; none: it is Weir's own. */
  readonly srs?: readonly SrsVersion[]
  /** Whether Weir does what it says. When it does not, a value other than the default gives a warning. */
  readonly acted?: boolean
  /** Older spellings by their path of names: `vhost/gop_cache`, `vhost/mr/latency`. */
  readonly formerly?: Readonly<Record<string, OlderSpelling>>
  /** Its name in the file, when that is not the snake_case of its key. */
  readonly name?: string
  /** Arguments to show in conf/full.conf where the default would show nothing. */
  readonly example?: string
}

/** In all versions of SRS. */
export const since1: About = { srs: [1, 2, 6] }
/** In SRS 2 and later. */
export const since2: About = { srs: [2, 6] }
/** In SRS 6. */
export const since6: About = { srs: [6] }

interface Described {
  /** One sentence: what it does. */
  readonly doc: string
  readonly about: About
}

/** A directive that ends with a semicolon. */
export interface Line<T extends TSchema = TSchema> extends Described {
  readonly kind: 'line'
  /** Of the value, not of the text. */
  readonly schema: T
  /** Its arguments when it is absent, as they would be written; '' for none. */
  readonly default: string
  /** Its value when it is absent. */
  readonly defaultValue: unknown
  /** What it accepts, to complete the sentence "… accepts". */
  readonly accepts: string
  /** Unit of the number, if it has one: `ms`, `s`, `bytes`, `kbps`. */
  readonly unit: string
  /** Fewest and most arguments. */
  readonly arity: readonly [number, number]
  /** Whether several lines of this name add up; their value is an array. */
  readonly repeats: boolean
  /** The value of the arguments; `undefined` when they are not written like this type. */
  readonly read: (args: readonly string[]) => unknown
}

/** The directives of a section, by the key of their value. */
export type Entries = { readonly [key: string]: Entry }
type Schemas<E extends Entries> = { [K in keyof E]: E[K]['schema'] }

/** A section that is given once. */
export interface Section<E extends Entries = Entries> extends Described {
  readonly kind: 'section'
  readonly schema: TObject<Schemas<E>>
  readonly entries: E
  /** Sections of SRS for which Weir has no counterpart at all: their content is not looked at. Name to description. */
  readonly foreign: Readonly<Record<string, string>>
}

/** Directives that are written in the enclosing section but whose values stand together under one key. */
export interface Group<E extends Entries = Entries> {
  readonly kind: 'group'
  readonly schema: TObject<Schemas<E>>
  readonly entries: E
}

/** A section that may be given several times with different names: `vhost NAME { … }`. */
export interface Named<S extends Section = Section> extends Described {
  readonly kind: 'named'
  /** Of an object with a section's value for each name. A section without a name has the name ''. */
  readonly schema: TRecord<'^.*$', S['schema']>
  readonly section: S
  /** Fewest and most names of one section; each gets the same content. */
  readonly names: readonly [number, number]
}

/** A section that may be given several times without a name. */
export interface Repeated<S extends Section = Section> extends Described {
  readonly kind: 'repeated'
  readonly schema: TArray<S['schema']>
  readonly section: S
}

/** A section with lines of any name, which are handed on: options of FFmpeg. Each line is an array of its words. */
export interface Parameters extends Described {
  readonly kind: 'parameters'
  readonly schema: TArray<TArray<TString>>
}

export type Entry = Line | Section | Group | Named | Repeated | Parameters

/** A directive: everything but a group, which is only an order of values. */
export type Declared = Exclude<Entry, Group>

/** The name in the file of the directive whose value has this key. */
export function nameOf(key: string, directive: Declared): string {
  return directive.about.name ?? key.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`)
}

/** The directives that can stand in a section, by their names in the file. */
export function directivesOf(entries: Entries): Map<string, Declared> {
  const directives = new Map<string, Declared>()
  for (const [key, entry] of Object.entries(entries)) {
    if (entry.kind !== 'group') directives.set(nameOf(key, entry), entry)
    else for (const [name, directive] of directivesOf(entry.entries)) directives.set(name, directive)
  }
  return directives
}

/** The section that a directive opens, however often it may be given; `null` when it opens none. */
export function sectionOf(directive: Declared): Section | null {
  switch (directive.kind) {
    case 'section':
      return directive
    case 'named':
    case 'repeated':
      return directive.section
    default:
      return null
  }
}

/** Whether Weir acts on a directive, or on any directive of a section. */
export function isActedOn(entry: Entry): boolean {
  switch (entry.kind) {
    case 'line':
      return entry.about.acted ?? false
    case 'parameters':
      return false
    case 'named':
    case 'repeated':
      return isActedOn(entry.section)
    default:
      return Object.values(entry.entries).some(isActedOn)
  }
}

/** Declares a section. */
export function section<E extends Entries>(
  doc: string,
  about: About,
  entries: E,
  foreign: Readonly<Record<string, string>> = {},
): Section<E> {
  return { kind: 'section', doc, about, entries, foreign, schema: objectOf(entries) }
}

/** Declares directives that belong together in the configuration, but have no section of their own in the file. */
export function group<E extends Entries>(entries: E): Group<E> {
  return { kind: 'group', entries, schema: objectOf(entries) }
}

/** Declares that a section may be given several times, told apart by their names. */
export function named<S extends Section>(section: S, names: readonly [number, number]): Named<S> {
  const schema: TRecord<'^.*$', S['schema']> = Type.Record(Type.String(), section.schema as S['schema'])
  return { kind: 'named', section, names, schema, doc: section.doc, about: section.about }
}

/** Declares that a section may be given several times. */
export function repeated<S extends Section>(section: S): Repeated<S> {
  const schema = Type.Array(section.schema as S['schema'])
  return { kind: 'repeated', section, schema, doc: section.doc, about: section.about }
}

/** Declares a section of lines that Weir does not interpret. */
export function parameters(doc: string, about: About): Parameters {
  return { kind: 'parameters', doc, about, schema: Type.Array(Type.Array(Type.String())) }
}

/** The value that a section's directives have together. */
export type ValueOf<S extends { schema: TSchema }> = Static<S['schema']>

function objectOf<E extends Entries>(entries: E): TObject<Schemas<E>> {
  const schemas = Object.fromEntries(Object.entries(entries).map(([key, entry]) => [key, entry.schema]))
  // Object.fromEntries forgets which key has which type.
  return Type.Object(schemas as Schemas<E>)
}
