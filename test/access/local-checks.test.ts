import { expect, test } from 'vitest'
import { exceptOwn } from '../../src/access/local-checks.ts'
import { accessRequest, FakeCheck } from '../support/access.ts'
import { vhostConfigOf } from '../support/config.ts'

test.each([
  ['?weir_own=transcode.s3cret', false],
  ['?vhost=v&weir_own=ingest.s3cret', false],
  ['?weir_own=transcode.guessed', true],
  ['', true],
])('a client with %s is checked: %s', (param, checked) => {
  const security = new FakeCheck('security')
  const [check] = exceptOwn([security], 's3cret')
  const request = { ...accessRequest(), param }
  expect(check!.name).toBe('security')
  expect(check!.applies('publish', vhostConfigOf())).toBe(true)
  check!.check(request, vhostConfigOf())
  expect(security.asked).toHaveLength(checked ? 1 : 0)
})
