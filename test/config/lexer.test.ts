import { expect, test } from 'vitest'
import { Lexer, shown } from '../../src/config/lexer.ts'

/** Tokens as text: a word in brackets, punctuation bare, each with its line and column. */
function tokens(text: string): string[] {
  const lexer = new Lexer(text, 'x.conf')
  const found: string[] = []
  for (;;) {
    const token = lexer.next()
    if (token.kind === 'end') return found
    found.push(`${token.line}:${token.column} ${token.kind === 'word' ? `[${token.text}]` : token.kind}`)
  }
}

test.each([
  ['words and punctuation', 'a b{c;}', ['1:1 [a]', '1:3 [b]', '1:4 {', '1:5 [c]', '1:6 ;', '1:7 }']],
  ['line ends of both kinds', 'a\r\nb;\nc', ['1:1 [a]', '2:1 [b]', '2:2 ;', '3:1 [c]']],
  ['tabs are one column', '\ta', ['1:2 [a]']],
  ['a comment to the end of the line', 'a # b;\nc#d', ['1:1 [a]', '2:1 [c#d]']],
  ['a comment to the end of the file', 'a;#', ['1:1 [a]', '1:2 ;']],
  ['quotes of both kinds', `"a b" 'c "d";' ""`, ['1:1 [a b]', '1:7 [c "d";]', '1:16 []']],
  ['escapes', String.raw`"\"\'\\\n\t\r\d"`, ['1:1 ["\'\\\n\t\r\\d]']],
  ['a backslash outside of quotes', String.raw`a\;`, ['1:1 [a\\]', '1:3 ;']],
  ['a quote inside of a word', `a"b c'`, ['1:1 [a"b]', "1:5 [c']"]],
  ['a line break inside quotes', '"a\nb";c', ['1:1 [a\nb]', '2:3 ;', '2:4 [c]']],
  ['a quoted word at the end', '"a"', ['1:1 [a]']],
  ['names beyond ASCII', 'vhöst 直播;', ['1:1 [vhöst]', '1:7 [直播]', '1:9 ;']],
])('reads %s', (_, text, expected) => {
  expect(tokens(text)).toEqual(expected)
})

test.each([
  ['a "b', 'x.conf:1:3: expected a closing " for the one that opens here'],
  ["a 'b\\'", "x.conf:1:3: expected a closing ' for the one that opens here"],
  [
    '\n "a"b',
    'x.conf:2:5: expected a blank, ";" or "{" behind the quoted word that begins at 2:2, found "b"',
  ],
  ['a b\0c', 'x.conf:1:3: a control character (code 0) in a word'],
  ['"\u001b[2J"', 'x.conf:1:1: a control character (code 27) in a word'],
])('refuses %j', (text, message) => {
  expect(() => tokens(text)).toThrow(expect.objectContaining({ code: 'CONFIG_SYNTAX', message }))
})

test('ends for ever', () => {
  const lexer = new Lexer('', 'x.conf')
  expect([lexer.next().kind, lexer.next().kind]).toEqual(['end', 'end'])
})

test.each([
  ['a\nb', '"a\\nb"'],
  ['x'.repeat(1000), `"${'x'.repeat(60)}…"`],
])('shows a word in one short line', (text, expected) => {
  expect(shown(text)).toBe(expected)
})
