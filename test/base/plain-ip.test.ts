import { expect, test } from 'vitest'
import { plainIp } from '../../src/base/plain-ip.ts'

test.each([
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8::1', '2001:db8::1'],
  ['::ffff:0', '::ffff:0'],
  [undefined, ''],
])('%s is %s', (address, ip) => {
  expect(plainIp(address)).toBe(ip)
})
