import { WeirError } from '../base/errors.ts'

/** What the variables of a path template stand for; a variable without a value stays as it is written. */
export interface TemplateValues {
  readonly vhost: string
  readonly app: string
  readonly stream: string
  /** Number of a segment. */
  readonly seq?: number
  /** Length of a segment in milliseconds. */
  readonly duration?: number
  /** What `[timestamp]` stands for; usually milliseconds since 1970. */
  readonly timestamp?: number
  /** The time for `[2006]`, `[01]`, `[02]`, `[15]`, `[04]`, `[05]` and `[999]`. */
  readonly time?: Date
  /** That time is written in UTC rather than in local time (`utc_time`). */
  readonly utc?: boolean
}

/** The parts of a time are named by those of Go's reference time, as in SRS. */
const variables = /\[(vhost|app|stream|seq|duration|timestamp|2006|01|02|15|04|05|999)\]/g

/** Replaces the variables of a template. What a value holds is not replaced again. */
export function expandTemplate(template: string, values: TemplateValues): string {
  return template.replace(variables, (written, name: string) => partOf(name, values) ?? written)
}

/**
 * A path below a directory from a template: slashes between its segments, none in front.
 * @throws WeirError PATH_TEMPLATE when it would leave the directory, or has nothing or something forbidden in it
 */
export function expandPath(template: string, values: TemplateValues): string {
  const path = expandTemplate(template, values)
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.')
  const isInside = !path.startsWith('/') && !segments.includes('..') && segments.length > 0
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
  if (!isInside || path.endsWith('/') || /[\u0000-\u001f\u007f\\]/.test(path)) {
    throw new WeirError(
      'PATH_TEMPLATE',
      `"${template}" gives ${JSON.stringify(path)}, which is no file below its directory`,
    )
  }
  return segments.join('/')
}

/** A template in two parts. */
export interface SplitTemplate {
  /** The directory that stands before the first variable: nothing that the template gives leaves it. */
  readonly root: string
  /** The rest, for {@link expandPath}. */
  readonly below: string
}

/** Where the directory of a template ends that has it in it: `/data/[app]/[stream].flv`. */
export function splitTemplate(template: string): SplitTemplate {
  const variable = template.search(variables)
  const slash = template.lastIndexOf('/', variable < 0 ? template.length : variable)
  if (slash < 0) return { root: '.', below: template }
  return { root: slash === 0 ? '/' : template.slice(0, slash), below: template.slice(slash + 1) }
}

/**
 * What the segments of a path look like that a template gives at any time, each from its beginning to its end.
 * @param values a variable of the time without a value may be any number
 */
export function pathPatterns(template: string, values: TemplateValues): RegExp[] {
  const source = template.split(variables).map((part, index) => {
    if (index % 2 === 0) return escaped(part)
    const value = partOf(part, values)
    return value === undefined ? '\\d+' : escaped(value)
  })
  const segments = source.join('').split('/')
  return segments
    .filter((segment) => segment !== '' && segment !== '\\.')
    .map((text) => new RegExp(`^${text}$`))
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

function partOf(name: string, values: TemplateValues): string | undefined {
  switch (name) {
    case 'vhost':
    case 'app':
    case 'stream':
      return values[name]
    case 'seq':
    case 'duration':
    case 'timestamp':
      return values[name]?.toString()
    default:
      return values.time && timePart(name, values.time, values.utc ?? false)
  }
}

function timePart(name: string, time: Date, utc: boolean): string {
  switch (name) {
    case '2006':
      return String(utc ? time.getUTCFullYear() : time.getFullYear())
    case '01':
      return digits((utc ? time.getUTCMonth() : time.getMonth()) + 1, 2)
    case '02':
      return digits(utc ? time.getUTCDate() : time.getDate(), 2)
    case '15':
      return digits(utc ? time.getUTCHours() : time.getHours(), 2)
    case '04':
      return digits(utc ? time.getUTCMinutes() : time.getMinutes(), 2)
    case '05':
      return digits(utc ? time.getUTCSeconds() : time.getSeconds(), 2)
    default:
      return digits(time.getUTCMilliseconds(), 3)
  }
}

function digits(value: number, count: number): string {
  return String(value).padStart(count, '0')
}
