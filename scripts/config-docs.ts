/**
 * Writes what follows from the declarations of the directives: the tables of docs/configuration.md, and
 * conf/full.conf. Run it after a change of src/config/schema: `node scripts/config-docs.ts`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import {
  type About,
  type Declared,
  directivesOf,
  isActedOn,
  type Line,
  type Section,
  sectionOf,
} from '../src/config/schema/declare.ts'
import { configuration } from '../src/config/schema/global.ts'

const reference = new URL('../docs/configuration.md', import.meta.url)
const example = new URL('../conf/full.conf', import.meta.url)

const begin = '<!-- tables: written by scripts/config-docs.ts -->'
const end = '<!-- end of tables -->'

/** The reference with the text between its two marks replaced by today's tables. */
export function withTables(document: string): string {
  const [from, to] = [document.indexOf(begin), document.indexOf(end)]
  if (from === -1 || to < from)
    throw new Error(`docs/configuration.md lacks the marks "${begin}" and "${end}"`)
  return `${document.slice(0, from + begin.length)}\n\n${tables().join('\n')}\n${document.slice(to)}`
}

/** A table for each section, the top level first. */
function tables(): string[] {
  const lines: string[] = []
  const headings = new Map<object, string>()
  const visit = (section: Section, heading: string) => {
    const same = headings.get(section.entries)
    headings.set(section.entries, heading)
    lines.push(`### ${heading}`, '', cell(section.doc), '')
    if (same) {
      lines.push(`The directives are those of [${same}](#${anchor(same)}).`, '')
      return
    }
    const directives = directivesOf(section.entries)
    lines.push(
      '| directive | arguments | default | unit | since | acted on | what it does |',
      '|---|---|---|---|---|---|---|',
    )
    for (const [name, directive] of directives) lines.push(row(name, directive, heading))
    const foreign = Object.entries(section.foreign).map(([name, doc]) => `- \`${name} { … }\`: ${doc}`)
    if (foreign.length > 0) lines.push('', 'Accepted with a warning, whatever is in them:', '', ...foreign)
    lines.push('')
    for (const [name, directive] of directives) {
      const inner = sectionOf(directive)
      if (inner) visit(inner, section === configuration ? name : `${heading} / ${name}`)
    }
  }
  visit(configuration, topLevel)
  return lines
}

const topLevel = 'Top level'

function row(name: string, directive: Declared, heading: string): string {
  const { doc, about } = directive
  const acted = isActedOn(directive) ? 'yes' : 'no'
  const description = cell([doc, ...olderSpellings(about)].join(' '))
  if (directive.kind === 'line') {
    const standard = directive.default === '' ? '' : `\`${cell(directive.default)}\``
    return `| \`${name}\` | ${cell(directive.accepts)} | ${standard} | ${directive.unit} | ${since(about)} | ${acted} | ${description} |`
  }
  const inner = heading === topLevel ? name : `${heading} / ${name}`
  const label =
    directive.kind === 'parameters' ? `\`${name} { … }\`` : `[\`${name} { … }\`](#${anchor(inner)})`
  return `| ${label} | ${nameCount(directive)} | | | ${since(about)} | ${acted} | ${description} |`
}

function nameCount(directive: Declared): string {
  if (directive.kind === 'repeated') return 'none; may be given several times'
  if (directive.kind !== 'named') return ''
  const [fewest, most] = directive.names
  return most > 1 ? 'one or more names' : fewest === 1 ? 'a name' : 'a name, or none'
}

function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^a-z0-9_ -]/g, '')
    .replaceAll(' ', '-')
}

/** Text that can stand in a table, or outside of one. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
}

const own = 'Weir'

/** The versions of SRS that have a directive, under whatever spelling. */
function since(about: About): string {
  const versions = [about, ...Object.values(about.formerly ?? {})].flatMap(({ srs }) => srs ?? [])
  if (versions.length === 0) return own
  const [first, last] = [Math.min(...versions), Math.max(...versions)]
  return last === 6 ? `SRS ${first}` : first === last ? `SRS ${first} only` : `SRS ${first} to ${last}`
}

function olderSpellings(about: About): string[] {
  return Object.entries(about.formerly ?? {}).map(([path, { srs, words }]) => {
    const meaning = Object.entries(words ?? {})
      .filter(([older, today]) => older !== today)
      .map(([older, today]) => `${older} is ${today}`)
    return `Older: \`${path}\` (SRS ${srs.join(', ')})${meaning.length > 0 ? `, where ${meaning.join(', ')}` : ''}.`
  })
}

/** A configuration with every directive, each explained. */
export function fullConf(): string {
  const header = `
    Every directive that Weir knows, with its default; where that is nothing, with an example. It is meant for
    reading: a real configuration needs a few of these lines, see weir.conf and its neighbours.

    This file is written by scripts/config-docs.ts from the declarations in src/config/schema.

    A directive ends with ";", a section stands in "{" and "}", "#" begins a comment, and words with blanks or
    punctuation stand in quotes, single or double. "include FILE…;" may stand anywhere and is replaced by what
    the files have; they are looked for beside this file, then in the working directory. "include conf.d/*.conf;"
    takes every file that matches, sorted by name.`
  const lines = header
    .trim()
    .split('\n')
    .map((line) => `# ${line.trim()}`.trimEnd())
  return `${[...lines, ...contentOf(configuration, '', true)].join('\n')}\n`
}

/** @param tell whether to say of each directive that it is not acted on; not where that was said of the section */
function contentOf(section: Section, indent: string, tell: boolean): string[] {
  const lines: string[] = []
  for (const [name, directive] of directivesOf(section.entries)) {
    lines.push('', ...comment(directive.doc, indent), ...comment(details(directive, tell), indent))
    lines.push(...exampleOf(name, directive, indent, tell))
  }
  const foreign = Object.keys(section.foreign)
  if (foreign.length > 0) {
    lines.push('', ...comment(`Accepted with a warning, whatever is in them: ${foreign.join(', ')}.`, indent))
  }
  return lines
}

/** What is to be said of a directive beside what it does. */
function details(directive: Declared, tell: boolean): string {
  const sentences: string[] = []
  if (directive.kind === 'line') {
    const unit = directive.unit === '' ? '' : ` (${directive.unit})`
    sentences.push(`Accepts ${directive.accepts}${unit}.`)
    if (directive.default === '') sentences.push('Default: none; this is an example.')
  }
  const origin = since(directive.about)
  sentences.push(
    origin === own ? 'Only Weir has it.' : `Since ${origin}.`,
    ...olderSpellings(directive.about),
  )
  if (tell && !isActedOn(directive)) sentences.push('Not acted on yet.')
  return sentences.join(' ')
}

function exampleOf(name: string, directive: Declared, indent: string, tell: boolean): string[] {
  if (directive.kind === 'line') return [`${indent}${name} ${shownArguments(name, directive)};`]
  const inner = `${indent}    `
  if (directive.kind === 'parameters') {
    return [`${indent}${name} {`, `${inner}${directive.about.example};`, `${indent}}`]
  }
  const section = directive.kind === 'section' ? directive : directive.section
  const label = directive.kind === 'named' ? `${name} ${directive.about.example}` : name
  const [, ...content] = contentOf(section, inner, tell && isActedOn(section))
  return [`${indent}${label} {`, ...content, `${indent}}`]
}

function shownArguments(name: string, line: Line): string {
  const text = line.default || line.about.example
  if (!text) throw new Error(`the declaration of "${name}" needs an example, as it has no default`)
  return text
}

const width = 100

function comment(text: string, indent: string): string[] {
  const lines: string[] = []
  let line = `${indent}#`
  for (const word of text.split(' ')) {
    if (line.length + 1 + word.length > width) {
      lines.push(line)
      line = `${indent}#`
    }
    line += ` ${word}`
  }
  return [...lines, line]
}

if (import.meta.main) {
  writeFileSync(reference, withTables(readFileSync(reference, 'utf8')))
  writeFileSync(example, fullConf())
}
