import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { apiAccessProblem, apiAccessWarning } from '../../src/config/api-access.ts'
import { loadConfig } from '../../src/config/load.ts'
import { configOf } from '../support/config.ts'
import { tempDir } from '../support/temp-dir.ts'

const auth = (directives: string): string => `http_api { enabled on; auth { enabled on; ${directives} } }`

describe('a password', () => {
  test.each(['username a; password b;', 'tokens x;', 'username a; password b; tokens x y;'])(
    '%s',
    (directives) => {
      expect(apiAccessProblem(configOf(auth(directives)))).toBeNull()
    },
  )

  test.each([
    ['', 'needs a username and a password, or tokens'],
    ['username a;', 'a username and no password'],
    ['password a;', 'a password and no username'],
    ['username a; tokens x;', 'a username and no password'],
    ['username a:b; password c;', 'a colon'],
  ])('not %j: %s', (directives, problem) => {
    expect(apiAccessProblem(configOf(auth(directives)))).toContain(problem)
  })

  test('that is not asked for may be anything', () => {
    expect(apiAccessProblem(configOf('http_api { enabled on; auth { username a; } }'))).toBeNull()
  })

  test('that cannot be asked for is no valid configuration', () => {
    const file = join(tempDir(), 'x.conf')
    writeFileSync(file, auth(''))
    expect(() => loadConfig(file)).toThrow(expect.objectContaining({ code: 'CONFIG_BAD_VALUE' }))
  })
})

describe('origins of pages', () => {
  const origins = (words: string): string => `http_api { enabled on; origins ${words}; }`

  test.each(['https://a.example', 'http://10.0.0.1:3000 http://[::1]:8080'])('%s', (words) => {
    expect(apiAccessProblem(configOf(origins(words)))).toBeNull()
  })

  test.each(['a.example', 'https://a.example/', 'https://a.example:443', 'null', '*', 'https://A.example'])(
    'not %s',
    (word) => expect(apiAccessProblem(configOf(origins(word)))).toContain(word),
  )
})

describe('an API without a password', () => {
  test.each(['127.0.0.1:1985', '[::1]:1985', 'localhost:1985', '127.0.0.2:1985 127.0.0.1:1'])(
    'is nothing to warn of on %s',
    (listen) => expect(apiAccessWarning(configOf(`http_api { enabled on; listen ${listen}; }`))).toBeNull(),
  )

  test.each([
    ['1985', 'on 1985 '],
    ['0.0.0.0:1985', 'on 0.0.0.0:1985 '],
    ['127.0.0.1:1985 10.0.0.1:1985 [::]:1986', 'on 10.0.0.1:1985, [::]:1986 '],
  ])('is something to warn of on %s', (listen, named) => {
    expect(apiAccessWarning(configOf(`http_api { enabled on; listen ${listen}; }`))).toContain(named)
  })

  test('that is off, or asks for one, is nothing to warn of', () => {
    expect(apiAccessWarning(configOf('http_api { listen 1985; }'))).toBeNull()
    expect(apiAccessWarning(configOf(auth('tokens x;')))).toBeNull()
  })

  test('is named when the file is loaded', () => {
    const file = join(tempDir(), 'x.conf')
    writeFileSync(file, 'http_api { enabled on; listen 1985; }')
    expect(loadConfig(file).warnings).toEqual([
      expect.stringContaining(`${file}: http_api on 1985 asks for no`),
    ])
  })
})
