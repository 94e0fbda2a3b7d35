import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { checkTlsFiles } from '../../src/config/tls-files.ts'
import { selfSigned } from '../support/certificates.ts'
import { sharedTempDir } from '../support/temp-dir.ts'

const dir = sharedTempDir()
selfSigned(dir)
selfSigned(dir, 'other')

/** Loads a configuration whose files count from a directory of their own. */
function load(files: string, enabled = 'on') {
  const file = join(dir, 'x.conf')
  writeFileSync(file, `work_dir ${dir}; rtmps { enabled ${enabled}; ${files} }\n`)
  return loadConfig(file)
}

test('a certificate and its key, by paths that count from work_dir', () => {
  expect(load('cert server.crt; key ./server.key;').warnings).toStrictEqual([])
})

test.each([
  ['cert none.crt; key server.key;', 'cannot read none.crt: ENOENT'],
  ['cert server.crt; key none.key;', 'cannot read none.key: ENOENT'],
  ['cert server.crt; key other.key;', 'certificate server.crt with key other.key: '],
  ['cert server.key; key server.key;', 'certificate server.key with key server.key: '],
])('%s is refused', (files, message) => {
  expect(() => load(files)).toThrow(
    expect.objectContaining({ code: 'TLS_FILES', message: expect.stringContaining(message) }),
  )
})

test('what is not in use is not looked at', () => {
  expect(load('cert none.crt; key none.key;', 'off').warnings).toStrictEqual([])
})

test('a certificate that is over gives a warning: clients refuse it', () => {
  const { config } = load('cert server.crt; key server.key;')
  const inThreeDays = Date.now() + 3 * 86_400_000
  expect(checkTlsFiles(config, dir)).toStrictEqual([])
  expect(checkTlsFiles(config, dir, inThreeDays)).toStrictEqual([
    expect.stringMatching(/^rtmps: the certificate server\.crt expired on .* GMT$/),
  ])
})

test.each([
  ['cluster', 'mode remote; origin rtmps://a;'],
  ['cluster', 'hls_origin https://a;'],
  ['forward', 'enabled on; destination rtmps://a;'],
])('%s { %s tls_ca } is looked at, too', (section, use) => {
  const trusting = (path: string, used = use) => {
    const file = join(dir, 'y.conf')
    writeFileSync(file, `work_dir ${dir}; listen 1935; vhost a { ${section} { ${used} tls_ca ${path}; } }\n`)
    return loadConfig(file)
  }
  expect(trusting('server.crt').config.vhosts.a).toMatchObject({ [section]: { tlsCa: 'server.crt' } })
  for (const path of ['none.crt', 'server.key']) {
    expect(() => trusting(path)).toThrow(
      expect.objectContaining({ code: 'TLS_FILES', message: expect.stringContaining(path) }),
    )
  }
  expect(trusting('none.crt', '').warnings).toStrictEqual([])
})
