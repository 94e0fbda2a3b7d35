import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readSource } from '../../src/config/source.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-config-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

function write(name: string, content: string | Buffer): string {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  return path
}

/** Names of the directives, those of sections with their children. */
function names(path: string): string {
  const show = (directives: ReturnType<typeof readSource>['directives']): string =>
    directives.map(({ name, children }) => (children ? `${name}{${show(children)}}` : name)).join(' ')
  return show(readSource(path).directives)
}

test('includes files in place, at the top level and in sections', () => {
  const path = write('main.conf', 'a; include one.conf two.conf; b { include sub/three.conf; } c;')
  write('one.conf', 'one;')
  write('two.conf', 'two { }')
  write('sub/three.conf', 'include four.conf;')
  write('sub/four.conf', 'four;')
  expect(names(path)).toBe('a one two{} b{four} c')
  expect(readSource(path).files).toEqual(
    ['main.conf', 'one.conf', 'two.conf', 'sub/three.conf', 'sub/four.conf'].map((name) =>
      join(folder, name),
    ),
  )
})

test('keeps the file of each directive', () => {
  const path = write('main.conf', 'include one.conf;')
  const one = write('one.conf', '\n  one;')
  expect(readSource(path).directives[0]).toMatchObject({ file: one, line: 2, column: 3 })
})

test('includes an absolute path, and the same file twice', () => {
  const one = write('one.conf', 'one;')
  const path = write('main.conf', `a { include "${one}"; } b { include one.conf; }`)
  expect(names(path)).toBe('a{one} b{one}')
  expect(readSource(path).files).toEqual([path, one])
})

test('falls back to the working directory, as SRS does', () => {
  const one = write('elsewhere/one.conf', 'one;')
  const path = write('conf/main.conf', `include ${relative(process.cwd(), one)};`)
  expect(names(path)).toBe('one')
})

test('includes what a pattern matches, in the order of the names, and hidden files not', () => {
  const path = write('main.conf', 'a; b { include conf.d/*.conf; } c;')
  for (const name of ['20-two.conf', '10-one.conf', 'Other.conf', 'z.txt', '.hidden.conf', 'deep/er.conf']) {
    write(`conf.d/${name}`, `${name.replaceAll(/[^a-zA-Z]/g, '')};`)
  }
  expect(names(path)).toBe('a b{oneconf twoconf Otherconf} c')
  expect(readSource(path).files).toEqual(
    ['main.conf', 'conf.d/10-one.conf', 'conf.d/20-two.conf', 'conf.d/Other.conf'].map((name) =>
      join(folder, name),
    ),
  )
})

test.each(['conf.d/?.conf', 'conf.d/[ab].conf', '*/*.conf'])('knows the pattern %s', (text) => {
  const path = write('main.conf', `include ${text};`)
  for (const name of ['a', 'b']) write(`conf.d/${name}.conf`, `${name};`)
  expect(names(path)).toBe('a b')
  expect(names(write('absolute.conf', `include ${join(folder, text)};`))).toBe('a b')
})

test('includes nothing when a pattern matches nothing', () => {
  expect(names(write('main.conf', 'a; include conf.d/*.conf; include /nowhere/*.conf; b;'))).toBe('a b')
})

test('falls back to another directory when it is told to: the working directory of the start', () => {
  write('start/conf/one.conf', 'one;')
  const path = write('conf/main.conf', 'include conf/one.conf; include conf/*.conf;')
  const show = readSource(path, join(folder, 'start')).directives.map(({ name }) => name)
  expect(show).toEqual(['one', 'one'])
})

test('falls back to the working directory for a pattern too, when nothing beside the file matches', () => {
  write('elsewhere/one.conf', 'one;')
  const text = join(relative(process.cwd(), folder), 'elsewhere', '*.conf')
  expect(names(write('conf/main.conf', `include ${text};`))).toBe('one')
})

test('takes a name for itself when a file has it, whatever it could match', () => {
  write('[ab].conf', 'itself;')
  write('a.conf', 'a;')
  expect(names(write('main.conf', 'include [ab].conf;'))).toBe('itself')
})

test('looks for a pattern in a folder whose name looks like one', () => {
  write('[x]/a.conf', 'a;')
  expect(names(write('[x]/main.conf', 'include a*;'))).toBe('a')
})

test('refuses a pattern that matches the file which includes it', () => {
  const path = write('main.conf', 'include *.conf;')
  expect(() => readSource(path)).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INCLUDE',
      message: expect.stringMatching(/main\.conf:1:9: .*main\.conf" includes itself$/),
    }),
  )
})

test('ignores a byte order mark', () => {
  expect(names(write('main.conf', '\uFEFFa;'))).toBe('a')
})

test.each([
  ['include one.conf;', 'include main.conf;', 'one.conf:1:9', 'main.conf" includes itself'],
  ['include main.conf;', '', 'main.conf:1:9', 'main.conf" includes itself'],
])('refuses a loop', (main, one, place, message) => {
  const path = write('main.conf', main)
  write('one.conf', one)
  expect(() => readSource(path)).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INCLUDE',
      message: expect.stringMatching(new RegExp(`${place}: .*${message}$`)),
    }),
  )
})

test('sees a loop through a symbolic link', () => {
  const path = write('main.conf', 'include link.conf;')
  symlinkSync(path, join(folder, 'link.conf'))
  expect(() => readSource(path)).toThrow(expect.objectContaining({ code: 'CONFIG_INCLUDE' }))
})

test.each([
  [16, true],
  [17, false],
])('%i levels of includes: %s', (levels, allowed) => {
  for (let level = 0; level < levels; level += 1) write(`${level}.conf`, `include ${level + 1}.conf;`)
  write(`${levels}.conf`, 'a;')
  const read = () => names(join(folder, '0.conf'))
  if (allowed) expect(read()).toBe('a')
  else
    expect(read).toThrow(
      expect.objectContaining({ code: 'CONFIG_INCLUDE', message: expect.stringContaining('deeper') }),
    )
})

test('refuses includes that multiply', () => {
  for (let level = 0; level < 12; level += 1) {
    write(`${level}.conf`, `include ${level + 1}.conf ${level + 1}.conf;`)
  }
  write('12.conf', 'a;')
  expect(() => readSource(join(folder, '0.conf'))).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INCLUDE',
      message: expect.stringContaining('more than 1024 includes'),
    }),
  )
})

test.each([
  ['include;', 'CONFIG_SYNTAX', /main\.conf:1:1: expected "include" with one or more files/],
  ['a;\n include { }', 'CONFIG_SYNTAX', /main\.conf:2:2: expected "include"/],
  [
    'a;\n include none.conf;',
    'CONFIG_UNREADABLE',
    /main\.conf:2:10: there is no file ".*none\.conf" to include$/,
  ],
  [
    Buffer.from([0x61, 0x3b, 0x0a, 0x62, 0xff, 0x3b]),
    'CONFIG_SYNTAX',
    /main\.conf:2:2: the text is not UTF-8$/,
  ],
  [' '.repeat(1024 * 1024 + 1), 'CONFIG_UNREADABLE', /main\.conf: it has 1048577 bytes, more than 1048576$/],
])('refuses %j', (content, code, message) => {
  const path = write('main.conf', content)
  expect(() => readSource(path)).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(message) }),
  )
})

test.each([
  ['', /it is not a file$/],
  ['none.conf', /ENOENT/],
])('refuses to read %j', (name, message) => {
  expect(() => readSource(join(folder, name))).toThrow(
    expect.objectContaining({ code: 'CONFIG_UNREADABLE', message: expect.stringMatching(message) }),
  )
})
