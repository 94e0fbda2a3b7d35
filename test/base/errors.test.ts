import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { codeOf, errorTable, messageOf, WeirError } from '../../src/base/errors.ts'

describe('WeirError', () => {
  test('carries its code, its message and its cause', () => {
    const cause = new Error('below')
    const error = new WeirError('PID_FILE', 'pid /run/x is held', cause)
    expect(error).toBeInstanceOf(Error)
    expect(error.name).toBe('WeirError')
    expect(error.code).toBe('PID_FILE')
    expect(error.message).toBe('pid /run/x is held')
    expect(error.cause).toBe(cause)
  })

  test('has no cause of its own making', () => {
    expect('cause' in new WeirError('PID_FILE', 'x')).toBe(false)
  })
})

describe('codeOf', () => {
  test.each<[string, unknown, string]>([
    ["Weir's own code", new WeirError('IPC_FRAME', 'x'), 'IPC_FRAME'],
    ["the system's code", Object.assign(new Error('x'), { code: 'ECONNRESET' }), 'ECONNRESET'],
    ['an error without a code', new TypeError('x'), 'INTERNAL'],
    ['a code that is no text', Object.assign(new Error('x'), { code: 5 }), 'INTERNAL'],
    ['something that is no error', { code: 'ECONNRESET' }, 'INTERNAL'],
    ['nothing', undefined, 'INTERNAL'],
  ])('%s', (_, thrown, code) => {
    expect(codeOf(thrown)).toBe(code)
  })
})

describe('messageOf', () => {
  test.each<[unknown, string]>([
    [new Error('one\ntwo'), 'one two'],
    ['text', 'text'],
    [null, 'null'],
  ])('%s', (thrown, message) => {
    expect(messageOf(thrown)).toBe(message)
  })
})

describe('the table', () => {
  const codes = Object.entries(errorTable)

  test.each(codes)('%s is written as the others', (code, { summary, remedy }) => {
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/)
    for (const text of [summary, remedy]) expect(text).toMatch(/^[^\n|]+\.$/)
  })

  test('is what docs/errors.md says, row by row', () => {
    const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
    const rows = [...page.matchAll(/^\| `([A-Z_]+)`\s*\| (.+?)\s*\| (.+?)\s*\|$/gm)].map((row) =>
      row.slice(1),
    )
    expect(rows).toStrictEqual(codes.map(([code, { summary, remedy }]) => [code, summary, remedy]))
  })

  test('has the groups of docs/errors.md', () => {
    const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
    const table = readFileSync(new URL('../../src/base/errors.ts', import.meta.url), 'utf8')
    const described = [...page.matchAll(/^## (.+)$|^\| `([A-Z_]+)`/gm)].map(
      ([, group, code]) => group ?? code,
    )
    const declared = [...table.matchAll(/^ {2}\/\/ (.+)$|^ {2}([A-Z_]+): \{$/gm)].map(
      ([, group, code]) => (group && group[0]!.toUpperCase() + group.slice(1)) ?? code,
    )
    expect(described).toStrictEqual(declared)
  })
})
