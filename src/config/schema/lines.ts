/** The types that a directive's arguments can have: one builder for each. Defaults are written as in a file. */

import type {
  TArray,
  TBoolean,
  TEnum,
  TInteger,
  TLiteral,
  TNull,
  TNumber,
  TObject,
  TSchema,
  TSchemaOptions,
  TString,
  TUnion,
} from 'typebox'
import * as Type from 'typebox'
import { parseAddressRange } from '../../base/address-range.ts'
import type { About, Line } from './declare.ts'
import { readDecimal, readDuration, readEndpoint, readFlag, readInteger, readSize } from './values.ts'

/** The least and the greatest number that is accepted, and its unit. */
export interface Range {
  readonly min: number
  readonly max: number
  readonly unit?: string
}

/** `on` or `off`. */
export function flag(standard: 'on' | 'off', doc: string, about: About): Line<TBoolean> {
  return line(Type.Boolean, { default: standard, accepts: 'on or off', read: single(readFlag), doc, about })
}

/** An integer. */
export function integer(standard: string, range: Range, doc: string, about: About): Line<TInteger> {
  return line((options) => Type.Integer({ ...limits(range), ...options }), {
    default: standard,
    accepts: `an integer from ${range.min} to ${range.max}`,
    unit: range.unit ?? '',
    read: single(readInteger),
    doc,
    about,
  })
}

/** A number that may have a fraction. */
export function decimal(standard: string, range: Range, doc: string, about: About): Line<TNumber> {
  return line((options) => Type.Number({ ...limits(range), ...options }), {
    default: standard,
    accepts: `a number from ${range.min} to ${range.max}`,
    unit: range.unit ?? '',
    read: single(readDecimal),
    doc,
    about,
  })
}

/** An integer, or `auto` for a value that Weir finds itself. */
export function autoInteger(
  standard: string,
  range: Range,
  doc: string,
  about: About,
): Line<TUnion<[TLiteral<'auto'>, TInteger]>> {
  return line((options) => Type.Union([Type.Literal('auto'), Type.Integer(limits(range))], options), {
    default: standard,
    accepts: `auto or an integer from ${range.min} to ${range.max}`,
    unit: range.unit ?? '',
    read: single((word) => (word === 'auto' ? word : readInteger(word))),
    doc,
    about,
  })
}

/** The least and the greatest size that is accepted, written as in a file. */
export interface SizeRange {
  readonly min: string
  readonly max: string
}

/** A size such as `64k` or `8m`; the value is in bytes. */
export function size(standard: string, range: SizeRange, doc: string, about: About): Line<TInteger> {
  const bytes = { min: readSize(range.min) ?? 0, max: readSize(range.max) ?? 0 }
  return line((options) => Type.Integer({ ...limits(bytes), ...options }), {
    default: standard,
    accepts: `a size from ${range.min} to ${range.max}`,
    unit: 'bytes',
    read: single(readSize),
    doc,
    about,
  })
}

/** A time span such as `5`, `500ms` or `2m`; the value is in seconds, and may have a fraction. */
export function duration(standard: string, range: Range, doc: string, about: About): Line<TNumber> {
  return line((options) => Type.Number({ ...limits(range), ...options }), {
    default: standard,
    accepts: `a time from ${range.min} to ${range.max} seconds, such as 5, 500ms or 2m`,
    unit: 's',
    read: single(readDuration),
    doc,
    about,
  })
}

/** One of a few words. */
export function word<const W extends string[]>(
  standard: W[number],
  words: readonly [...W],
  doc: string,
  about: About,
): Line<TEnum<W>> {
  return line((options) => Type.Enum(words, options), {
    default: standard,
    accepts: oneOf(words),
    read: single(asWritten),
    doc,
    about,
  })
}

/** One or more of a few words. */
export function words<const W extends string[]>(
  standard: string,
  known: readonly [...W],
  doc: string,
  about: About,
): Line<TArray<TEnum<W>>> {
  return line((options) => Type.Array(Type.Enum(known), options), {
    default: standard,
    accepts: `one or more of ${known.join(', ')}`,
    arity: oneOrMore,
    read: (args) => args,
    doc,
    about,
  })
}

/** Any text; '' when absent and without a default. */
export function text(standard: string, accepts: string, doc: string, about: About): Line<TString> {
  return line(Type.String, { default: standard, accepts, read: single(asWritten), doc, about })
}

/** A path of a file or directory, kept as written: relative ones count from the working directory. */
export function path(standard: string, doc: string, about: About): Line<TString> {
  return line((options) => Type.String({ minLength: 1, maxLength: 4096, ...options }), {
    default: standard,
    accepts: 'a path',
    read: single(asWritten),
    doc,
    about,
  })
}

/** One or more words; an empty array when absent and without a default. */
export function list(standard: string, accepts: string, doc: string, about: About): Line<TArray<TString>> {
  return line((options) => Type.Array(Type.String({ minLength: 1 }), options), {
    default: standard,
    accepts,
    arity: oneOrMore,
    read: (args) => args,
    doc,
    about,
  })
}

/** As {@link list}, but several lines add up. */
export function lists(standard: string, accepts: string, doc: string, about: About): Line<TArray<TString>> {
  return { ...list(standard, accepts, doc, about), repeats: true }
}

/** One or more servers, each `host` or `host:port`, or the same behind `rtmp://` or `rtmps://`; an empty array when absent. */
export function servers(doc: string, about: About): Line<TArray<TString>> {
  return serversOf('rtmps?', 'one or more servers: host or host:port, or rtmps://host:port', doc, about)
}

/** One or more servers to pull streams from, as {@link servers}, or of HTTP: `http://host:port` or `https://host:port`. */
export function origins(doc: string, about: About): Line<TArray<TString>> {
  const accepts =
    'one or more servers: host or host:port, rtmps://host:port, or http://host:port or https://host:port for HTTP-FLV'
  return serversOf('rtmps?|https?', accepts, doc, about)
}

function serversOf(schemas: string, accepts: string, doc: string, about: About): Line<TArray<TString>> {
  const host = /(\[[\da-fA-F:.]+\]|[^\s:/?[\]]+)(:\d{1,5})?/.source
  const server = Type.String({ pattern: `^((${schemas})://)?${host}$` })
  return line((options) => Type.Array(server, options), {
    ...{ default: '', accepts, arity: oneOrMore, doc, about },
    read: (args) => args,
  })
}

/** One or more URLs of HTTP servers, as {@link lists}. */
export function urls(doc: string, about: About): Line<TArray<TString>> {
  const url = Type.String({ pattern: '^https?://[^/?#]+' })
  return line((options) => Type.Array(url, options), {
    default: '',
    accepts: 'one or more URLs that begin with http:// or https://',
    arity: oneOrMore,
    repeats: true,
    read: (args) => args,
    doc,
    about,
  })
}

/** A URL of HTTP; '' when absent. */
export function httpUrl(doc: string, about: About): Line<TString> {
  return line((options) => Type.String({ pattern: /^(https?:\/\/[^\s/]+\S*)?$/.source, ...options }), {
    default: '',
    accepts: 'a URL that begins with http:// or https://',
    read: single(asWritten),
    doc,
    about,
  })
}

type EndpointSchema = TObject<{ host: TUnion<[TString, TNull]>; port: TInteger }>

/** One or more TCP addresses. */
export function endpoints(standard: string, doc: string, about: About): Line<TArray<EndpointSchema>> {
  const endpoint: EndpointSchema = Type.Object({
    host: Type.Union([Type.String(), Type.Null()]),
    port: Type.Integer({ minimum: 0, maximum: 65535 }),
  })
  return line((options) => Type.Array(endpoint, options), {
    default: standard,
    accepts: 'one or more addresses such as 1935, 127.0.0.1:1935 or [::1]:1935',
    arity: oneOrMore,
    read: (args) => args.map(readEndpoint),
    doc,
    about,
  })
}

type RuleSchema = TObject<{ action: TEnum<['publish', 'play']>; address: TString }>

/** Lines of an access list, each an action and an address: `play all`. */
export function rules(doc: string, about: About): Line<TArray<RuleSchema>> {
  const rule: RuleSchema = Type.Object({
    action: Type.Enum(['publish', 'play']),
    address: Type.String({ minLength: 1 }),
  })
  return line((options) => Type.Array(rule, options), {
    default: '',
    accepts: 'publish or play, and then all, an IP address or a block such as 10.0.0.0/8',
    arity: [2, 2],
    repeats: true,
    read: readRule,
    doc,
    about,
  })
}

const gates = ['all', 'on_connect', 'on_publish', 'on_play'] as const
type HookErrorSchema = TObject<{
  gate: TEnum<['all', 'on_connect', 'on_publish', 'on_play']>
  action: TEnum<['refuse', 'accept']>
}>

/** Lines of a gate and what becomes of clients when it fails: `on_play accept`; without a gate: of all. */
export function hookErrors(doc: string, about: About): Line<TArray<HookErrorSchema>> {
  const schema: HookErrorSchema = Type.Object({
    gate: Type.Enum([...gates]),
    action: Type.Enum(['refuse', 'accept']),
  })
  return line((options) => Type.Array(schema, options), {
    default: '',
    accepts:
      'refuse or accept, and before it on_connect, on_publish or on_play if it is for one of these only',
    arity: [1, 2],
    repeats: true,
    read: ([first, second]) => {
      if (first === undefined) return []
      return second === undefined ? [{ gate: 'all', action: first }] : [{ gate: first, action: second }]
    },
    doc,
    about,
  })
}

/** A rule; of a single word, which is asked about to find the wrong one, one that is right if the word can be in it. */
function readRule([first, second]: readonly string[]): unknown {
  if (first === undefined) return []
  if (second === undefined) {
    return readRule(isAddress(first) ? ['play', first] : [first, 'all'])
  }
  return isAddress(second) ? [{ action: first, address: second }] : undefined
}

function isAddress(word: string): boolean {
  return word === 'all' || parseAddressRange(word) !== null
}

/** Command lines, each an array of a program and its arguments. */
export function commands(doc: string, about: About): Line<TArray<TArray<TString>>> {
  return line((options) => Type.Array(Type.Array(Type.String(), { minItems: 1 }), options), {
    default: '',
    accepts: 'a program and its arguments',
    arity: oneOrMore,
    repeats: true,
    read: (args) => (args.length === 0 ? [] : [args]),
    doc,
    about,
  })
}

/** "a, b or c". */
export function oneOf(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}

const oneOrMore = [1, Number.POSITIVE_INFINITY] as const

type LineOptions = Pick<Line, 'default' | 'accepts' | 'read' | 'doc' | 'about'> &
  Partial<Pick<Line, 'unit' | 'arity' | 'repeats'>>

/** A line of one argument, unless its options say else. The JSON Schema gets the description and the default. */
function line<T extends TSchema>(schema: (options: TSchemaOptions) => T, options: LineOptions): Line<T> {
  const standard = options.read(options.default === '' ? [] : options.default.split(' '))
  return {
    kind: 'line',
    unit: '',
    arity: [1, 1],
    repeats: false,
    ...options,
    defaultValue: standard,
    schema: schema({ description: options.doc, default: standard }),
  }
}

function single(read: (word: string) => unknown): Line['read'] {
  return ([first]) => read(first ?? '')
}

function asWritten(word: string): string {
  return word
}

function limits(range: Range): { minimum: number; maximum: number } {
  return { minimum: range.min, maximum: range.max }
}
