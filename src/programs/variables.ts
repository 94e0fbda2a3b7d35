/** What the variables in a program's arguments stand for, by their names without brackets. */
export type ProgramValues = Readonly<Record<string, string>>

/** How a value is written into an argument. */
type Written = (value: string, name: string) => string

/**
 * Replaces the variables of one argument: `[stream]`. The value is never read as anything but a value: what it
 * holds is not replaced again, and an argument that begins with a variable does not become an option by it (a stream
 * called `-f` gives `./-f`).
 */
export function expandArgument(template: string, values: ProgramValues, write: Written = asItIs): string {
  const argument = template.replace(/\[(\w+)\]/g, (written, name: string) => {
    return Object.hasOwn(values, name) ? write(values[name] ?? '', name) : written
  })
  return argument.startsWith('-') && !template.startsWith('-') ? `./${argument}` : argument
}

/** Whether an argument has one of these variables in it. */
export function hasVariable(template: string, values: ProgramValues): boolean {
  return [...template.matchAll(/\[(\w+)\]/g)].some(([, name = '']) => Object.hasOwn(values, name))
}

/**
 * The output of FFmpeg. In a URL a value is percent-encoded; in the name of a file what FFmpeg gives a meaning
 * to becomes `_`: protocols (`tcp:`), several outputs (`a|b`), numbered files (`%d`).
 * @param whole that the slashes of an application are encoded too: Weir decodes names, and clients that have their own
 *   view of how many levels an application has cannot get it wrong
 */
export function expandOutput(template: string, values: ProgramValues, whole = false): string {
  if (template.includes('://')) return expandArgument(template, values, whole ? asOneName : inUrl)
  const path = expandArgument(template, values, (value) => value.replace(/[|%[\]:*?]/g, '_'))
  // The beginning of a name alone could still be a protocol's: `[app]:` …
  return template.startsWith('[') && !path.startsWith('./') ? `./${path}` : path
}

function asItIs(value: string): string {
  return value
}

function inUrl(value: string, name: string): string {
  return value
    .split('/')
    .map((part) => asOneName(part, name))
    .join('/')
}

function asOneName(value: string, name: string): string {
  // A query stays one: only what can be in no URL is encoded.
  if (name === 'param') return value.replace(/[^\w\-.~!$&'()*+,;=:@/?%]/gu, encodeURIComponent)
  return encodeURIComponent(value)
}
