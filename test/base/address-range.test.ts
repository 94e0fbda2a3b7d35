import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addressGroup, parseAddressRange } from '../../src/base/address-range.ts'

test.each([
  ['192.0.2.7', { address: '192.0.2.7', prefix: 32, family: 'ipv4' }],
  ['192.0.2.0/24', { address: '192.0.2.0', prefix: 24, family: 'ipv4' }],
  ['0.0.0.0/0', { address: '0.0.0.0', prefix: 0, family: 'ipv4' }],
  ['2001:db8::', { address: '2001:db8::', prefix: 128, family: 'ipv6' }],
  ['2001:DB8::/32', { address: '2001:DB8::', prefix: 32, family: 'ipv6' }],
  ['::ffff:10.0.0.0/104', { address: '::ffff:10.0.0.0', prefix: 104, family: 'ipv6' }],
])('%s', (text, range) => {
  expect(parseAddressRange(text)).toStrictEqual(range)
})

test.each([
  ...['', 'all', 'example.com', '192.0.2', '192.0.2.256', '192.0.2.0/33', '192.0.2.0/', '192.0.2.0/-1'],
  ...['2001:db8::/129', '2001:db8:::', '[::1]', '::1%eth0', '10.0.0.0/8/8', ' 10.0.0.1', '0x0a000001'],
])('%j is neither', (text) => {
  expect(parseAddressRange(text)).toBeNull()
})

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64'],
  ['2001:db8::1:2:3:4:5', '2001:db8:0:1::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
  ['1:2:3:4:5:6:192.0.2.1', '1:2:3:4::/64'],
  ['', ''],
])('%s counts as %s', (ip, group) => {
  expect(addressGroup(ip)).toBe(group)
})

test('two IPv6 addresses count together exactly if their first 64 bits are the same', () => {
  const group = fc.integer({ min: 0, max: 0xffff })
  const half = fc.tuple(group, group, group, group)
  /** As systems write it: the longest run of zeros left out (RFC 5952); URL does that. */
  const written = (groups: readonly number[]): string =>
    new URL(`http://[${groups.map((value) => value.toString(16)).join(':')}]`).hostname.slice(1, -1)
  fc.assert(
    fc.property(half, half, half, half, (a, b, c, d) => {
      const isSame = a.join() === c.join()
      expect(addressGroup(written([...a, ...b]))).toBe(addressGroup(written([...a, ...d])))
      expect(addressGroup(written([...a, ...b])) === addressGroup(written([...c, ...d]))).toBe(isSame)
    }),
  )
})
