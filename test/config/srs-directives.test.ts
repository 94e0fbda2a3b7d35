import { describe, expect, test } from 'vitest'
import { interpret } from '../../src/config/interpret.ts'
import { parse } from '../../src/config/parser.ts'
import { type About, directivesOf, type Entries, sectionOf } from '../../src/config/schema/declare.ts'
import { configuration } from '../../src/config/schema/global.ts'
import { srsDirectives } from './srs-directives.ts'

const sectionNames: Record<string, string> = { vhost: 'vhost a', ingest: 'ingest a', engine: 'engine a' }

/** The directive inside of its sections. */
function wrapped(section: string, directive: string): string {
  const line = directive.endsWith('}') ? directive : `${directive};`
  if (section === '') return line
  return section.split('/').reduceRight((inner, name) => `${sectionNames[name] ?? name} { ${inner} }`, line)
}

describe.each(Object.entries(srsDirectives))('the section "%s" of SRS', (section, directives) => {
  test.each(directives)('SRS %s: %s', (_, directive) => {
    expect(() => interpret(parse(wrapped(section, directive), 'x.conf'))).not.toThrow()
  })
})

/** The versions that the schema states for each path of names, older spellings included. */
function statedVersions(): Map<string, ReadonlySet<number>> {
  const stated = new Map<string, Set<number>>()
  const state = (path: string, versions: About['srs']) => {
    stated.set(path, new Set([...(stated.get(path) ?? []), ...(versions ?? [])]))
  }
  const visit = (entries: Entries, path: string) => {
    for (const [name, directive] of directivesOf(entries)) {
      state(path + name, directive.about.srs)
      for (const [older, { srs }] of Object.entries(directive.about.formerly ?? {})) state(older, srs)
      const section = sectionOf(directive)
      if (section) visit(section.entries, `${path}${name}/`)
    }
  }
  visit(configuration.entries, '')
  return stated
}

test('the schema states the versions of SRS that have each directive', () => {
  const stated = statedVersions()
  const differing = Object.entries(srsDirectives).flatMap(([section, directives]) =>
    directives.flatMap(([versions, directive]) => {
      const path = [...(section === '' ? [] : [section]), directive.split(' ')[0]].join('/')
      const found = stated.get(path)
      // Not stated one by one: sections that moved as a whole, and those that are not looked into.
      return !found || [...versions].every((version) => found.has(Number(version))) ? [] : [path]
    }),
  )
  expect(differing).toEqual([])
})

test('the schema has no directive of SRS that SRS does not have', () => {
  const listed = new Set(
    Object.entries(srsDirectives).flatMap(([section, directives]) =>
      directives.map(([, directive]) =>
        [...(section === '' ? [] : [section]), directive.split(' ')[0]].join('/'),
      ),
    ),
  )
  const invented = [...statedVersions()].filter(([path, versions]) => versions.size > 0 && !listed.has(path))
  // Of early 2.0, and gone before its release.
  const early = ['vhost/hls/hls_storage', 'vhost/hls/hls_mount', 'vhost/security/deny']
  expect(invented.map(([path]) => path).sort()).toEqual(early.sort())
})
