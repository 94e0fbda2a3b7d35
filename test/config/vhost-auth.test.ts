import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { authProblem } from '../../src/config/vhost-auth.ts'
import { configOf } from '../support/config.ts'
import { tempDir } from '../support/temp-dir.ts'

const long = 'sixteen-and-more-characters'
const problem = (directives: string) =>
  authProblem(configOf(`vhost a { auth { enabled on; ${directives} } }`))

test.each([
  `publish signed; secret ${long};`,
  `play signed jwt; secret ${long}; jwt_secret ${long};`,
  'play jwt; jwks_url https://id.test/jwks.json;',
  'play jwt; jwt_key ./a.pem;',
])('%s', (directives) => {
  expect(problem(directives)).toBeNull()
})

test.each([
  ['', 'publish or play has to be signed or jwt'],
  ['publish none;', 'publish or play has to be signed or jwt'],
  [`publish none signed; secret ${long};`, '"none" stands alone'],
  ['publish signed;', 'signed URLs need a secret'],
  [`publish signed; jwt_secret ${long};`, 'signed URLs need a secret'],
  [`play jwt; secret ${long};`, 'tokens need a jwt_secret, a jwt_key or a jwks_url'],
  ['play signed; secret short;', 'a secret has 16 characters at least'],
  ['play jwt; jwt_secret short;', 'a secret has 16 characters at least'],
  ['play jwt; jwks_url id.test/jwks.json;', 'jwks_url id.test/jwks.json is not http://… or https://…'],
  ['play jwt; jwks_url file:///etc/keys;', 'jwks_url file:///etc/keys is not http://… or https://…'],
])('%j cannot be obeyed: %s', (directives, message) => {
  expect(problem(directives)).toBe(`vhost a { auth { } }: ${message}`)
})

test('what is switched off may be anything', () => {
  expect(authProblem(configOf('vhost a { auth { play signed; } }'))).toBeNull()
  expect(authProblem(configOf('vhost a { enabled off; auth { enabled on; } }'))).toBeNull()
})

test('keys count from work_dir, and one that is none is found when the configuration is loaded', () => {
  const dir = tempDir()
  const file = join(dir, 'x.conf')
  writeFileSync(file, `work_dir ${dir}; vhost a { auth { enabled on; play jwt; jwt_key a.pem; } }`)
  writeFileSync(join(dir, 'a.pem'), 'no key')
  expect(() => loadConfig(file)).toThrow(
    expect.objectContaining({ code: 'TOKEN_KEYS', message: expect.stringMatching(/^jwt_key a\.pem: /) }),
  )
  writeFileSync(
    file,
    `work_dir ${dir}; vhost a { auth { enabled on; play signed; secret ${long}; jwt_key a.pem; } }`,
  )
  expect(loadConfig(file).warnings).toStrictEqual([])
})
