import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { fullConf, withTables } from '../../scripts/config-docs.ts'
import type { Directive } from '../../src/config/parser.ts'
import { parse } from '../../src/config/parser.ts'
import { directivesOf, type Section, sectionOf } from '../../src/config/schema/declare.ts'
import { configuration } from '../../src/config/schema/global.ts'

function read(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
}

const hint = 'run `node scripts/config-docs.ts`'

test('docs/configuration.md says what the schema declares', () => {
  const document = read('docs/configuration.md')
  expect(document === withTables(document), hint).toBe(true)
})

test('conf/full.conf says what the schema declares', () => {
  expect(read('conf/full.conf') === fullConf(), hint).toBe(true)
})

test('conf/full.conf has every directive', () => {
  const compare = (section: Section, directives: readonly Directive[]) => {
    const declared = directivesOf(section.entries)
    expect(directives.map(({ name }) => name)).toEqual([...declared.keys()])
    for (const directive of directives) {
      const inner = sectionOf(declared.get(directive.name)!)
      if (inner) compare(inner, directive.children ?? [])
    }
  }
  compare(configuration, parse(read('conf/full.conf'), 'full.conf'))
})
