import fc from 'fast-check'
import { expect, test } from 'vitest'
import { WeirError } from '../../src/base/errors.ts'
import { interpret } from '../../src/config/interpret.ts'
import { type Directive, parse } from '../../src/config/parser.ts'

/** A directive as nested arrays: its words, and its children when it has braces. */
type Outline = (string | Outline[])[]

function outline(directive: Directive): Outline {
  const words = [directive.name, ...directive.args.map(({ text }) => text)]
  return directive.children === null ? words : [...words, directive.children.map(outline)]
}

test.each<[string, Outline[]]>([
  ['', []],
  ['# only a comment', []],
  ['re;', [['re']]],
  ['listen 1935 1936;', [['listen', '1935', '1936']]],
  ['a{}', [['a', []]]],
  ['a b { c; d { e f; } } g;', [['a', 'b', [['c'], ['d', [['e', 'f']]]]], ['g']]],
  ['a\n  b\n  ;', [['a', 'b']]],
  [`"a b" 'c;';`, [['a b', 'c;']]],
])('parses %j', (text, expected) => {
  expect(parse(text, 'x.conf').map(outline)).toEqual(expected)
})

test('keeps the place of every name and argument', () => {
  const [vhost] = parse('# x\nvhost a {\n  gop_cache\n    off;\n}', 'conf/x.conf')
  expect(vhost).toMatchObject({ file: 'conf/x.conf', line: 2, column: 1 })
  expect(vhost?.args[0]).toMatchObject({ file: 'conf/x.conf', line: 2, column: 7 })
  expect(vhost?.children?.[0]).toMatchObject({ file: 'conf/x.conf', line: 3, column: 3 })
  expect(vhost?.children?.[0]?.args[0]).toMatchObject({ file: 'conf/x.conf', line: 4, column: 5 })
})

test.each([
  [';', '1:1: expected the name of a directive, found ";"'],
  ['{', '1:1: expected the name of a directive, found "{"'],
  ['a;;', '1:3: expected the name of a directive, found ";"'],
  ['a;\n}', '2:1: found "}" where no section is open'],
  ['a b', '1:4: expected ";" or "{" for the directive "a" that begins at 1:1, found the end of the file'],
  ['x {\n  a on\n}', '3:1: expected ";" or "{" for the directive "a" that begins at 2:3, found "}"'],
  ['x {\n y {\n  a; }\n', '4:1: expected "}" for the section "x" that begins at 1:1'],
  ['a { '.repeat(17), '1:67: sections are nested deeper than 16'],
])('refuses %j', (text, message) => {
  expect(() => parse(text, 'x.conf')).toThrow(
    expect.objectContaining({ code: 'CONFIG_SYNTAX', message: `x.conf:${message}` }),
  )
})

test('accepts sixteen levels', () => {
  expect(() => parse(`${'a { '.repeat(16)}${'}'.repeat(16)}`, 'x.conf')).not.toThrow()
})

const names = [
  'vhost',
  'play',
  'publish',
  'gop_cache',
  'mr',
  'refer',
  'forward',
  'hls',
  'enabled',
  'listen',
  'http',
]
const soup = fc.array(
  fc.oneof(
    fc.constantFrom(';', '{', '}', '"', "'", '\\', '#', '\n', ' ', ...names),
    fc.constantFrom(
      'on',
      'off',
      '1',
      '8m',
      '__proto__',
      'constructor',
      'vhost/gop_cache',
      'rtc_server',
      'transcode',
    ),
    fc.string({ maxLength: 4 }),
  ),
  { maxLength: 60 },
)

test('any text either is a configuration or fails with a coded error', () => {
  fc.assert(
    fc.property(soup, (words) => {
      try {
        const { config } = interpret(parse(words.join(' '), 'x.conf'))
        expect(Object.keys(config.vhosts).length).toBeGreaterThan(0)
      } catch (error) {
        expect(error).toBeInstanceOf(WeirError)
      }
    }),
    { numRuns: 300 },
  )
})

const directive: fc.Arbitrary<string> = fc.letrec<{ directive: string }>((tie) => ({
  directive: fc
    .record({
      name: fc.constantFrom(...names, 'vhosts', 'cluster', 'mode', 'http_stream', '__proto__', 'constructor'),
      args: fc.array(
        fc.constantFrom('on', 'off', '1', '30', 'a', 'x.y:1', 'play', 'all', '__proto__', '""'),
        {
          maxLength: 3,
        },
      ),
      children: fc.option(fc.array(tie('directive'), { maxLength: 4, depthIdentifier: 'section' }), {
        depthIdentifier: 'section',
        maxDepth: 4,
      }),
    })
    .map(
      ({ name, args, children }) =>
        `${[name, ...args].join(' ')}${children ? ` { ${children.join('')} }` : ';'} `,
    ),
})).directive

test('any tree of directives either is a configuration or fails with a coded error', () => {
  fc.assert(
    fc.property(fc.array(directive, { maxLength: 6 }), (directives) => {
      try {
        const { config } = interpret(parse(directives.join('\n'), 'x.conf'))
        expect(structuredClone(config)).toEqual(config)
      } catch (error) {
        expect(error).toBeInstanceOf(WeirError)
      }
    }),
    { numRuns: 300 },
  )
})
