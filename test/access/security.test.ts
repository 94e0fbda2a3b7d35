import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AddressList } from '../../src/access/address-list.ts'
import { decideByAddress, security } from '../../src/access/security.ts'
import { accessRequest } from '../support/access.ts'
import { vhostConfigOf } from '../support/config.ts'

const of = (rules: string) => vhostConfigOf(`security { enabled on; ${rules} }`)

/** What the rules say to an address: `publish`, `play`, both or nothing. */
function allowed(rules: string, ip: string): string {
  const { security } = of(rules)
  return (['publish', 'play'] as const).filter((action) => decideByAddress(security, action, ip).ok).join(' ')
}

describe('rules', () => {
  test.each([
    // SRS: without a rule nobody gets in.
    ['', '10.0.0.1', ''],
    ['allow play all;', '10.0.0.1', 'play'],
    ['allow play all; allow publish all;', '10.0.0.1', 'publish play'],
    // A deny that matches wins, in whatever order they are written.
    ['allow play all; deny play 10.0.0.1;', '10.0.0.1', ''],
    ['deny play 10.0.0.1; allow play all;', '10.0.0.1', ''],
    ['deny play 10.0.0.1; allow play all;', '10.0.0.2', 'play'],
    // Also when the allow is the narrower one.
    ['deny play 10.0.0.0/8; allow play 10.0.0.1;', '10.0.0.1', ''],
    // Who is named by none gets in only among denials alone.
    ['deny publish 10.0.0.1;', '10.0.0.1', 'play'],
    ['deny publish 10.0.0.1;', '10.0.0.2', 'publish play'],
    ['deny publish all;', '10.0.0.2', 'play'],
    ['deny publish 10.0.0.1; allow play 10.0.0.9;', '10.0.0.2', ''],
    ['allow publish 192.0.2.0/24;', '192.0.2.255', 'publish'],
    ['allow publish 192.0.2.0/24;', '192.0.3.0', ''],
    ['allow publish 192.0.2.129/25;', '192.0.2.200', 'publish'],
    // IPv6, and IPv4 written as such.
    ['allow play 2001:db8::/32;', '2001:db8:1::1', 'play'],
    ['allow play 2001:db8::/32;', '2001:db9::1', ''],
    ['allow play 2001:DB8:0::1;', '2001:db8::1', 'play'],
    ['allow play 10.0.0.0/8;', '::ffff:10.1.2.3', 'play'],
    ['allow play ::ffff:10.0.0.0/104;', '10.1.2.3', 'play'],
    ['allow play fe80::/10;', 'fe80::1%eth0', 'play'],
    ['allow play 0.0.0.0/0;', '2001:db8::1', ''],
    // An address that is not known is in no block.
    ['allow play 0.0.0.0/0; allow publish all;', '', 'publish'],
  ])('%j to %j: %j', (rules, ip, actions) => {
    expect(allowed(rules, ip)).toBe(actions)
  })

  test('refuse with a code, and name the address', () => {
    expect(decideByAddress(of('deny play 10.0.0.1;').security, 'play', '10.0.0.1')).toStrictEqual({
      ok: false,
      code: 'ADDRESS_DENIED',
      message: 'play is denied to 10.0.0.1',
    })
    expect(decideByAddress(of('allow play 10.0.0.2;').security, 'play', '10.0.0.1')).toMatchObject({
      message: 'play is allowed to others, not to 10.0.0.1',
    })
  })

  test.each(['play 10.0.0.256', 'play example.com', 'watch all', 'play 10.0.0.0/33', 'play'])(
    'like "allow %s" are no valid configuration',
    (rule) => {
      expect(() => of(`allow ${rule};`)).toThrow(expect.objectContaining({ code: 'CONFIG_BAD_VALUE' }))
    },
  )

  test('that are wrong are told of at the word that is', () => {
    expect(() => of('allow play 10.0.0.256;')).toThrow('not "10.0.0.256"')
    expect(() => of('allow watch all;')).toThrow('not "watch"')
  })
})

test('the check applies where it is enabled, and never to connect', () => {
  const on = of('allow play all;')
  expect(security.applies('play', on)).toBe(true)
  expect(security.applies('publish', on)).toBe(true)
  expect(security.applies('connect', on)).toBe(false)
  expect(security.applies('play', vhostConfigOf('security { allow play all; }'))).toBe(false)
  expect(security.check(accessRequest({ action: 'publish' }), on)).toMatchObject({ ok: false })
  expect(security.check(accessRequest(), on)).toMatchObject({ ok: true })
})

/** An address as a number. */
const bits = (groups: readonly number[], width: bigint): bigint =>
  groups.reduce((sum, group) => (sum << width) | BigInt(group), 0n)

test('a block has the addresses whose first bits are its own: IPv4', () => {
  const octets = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 })
  fc.assert(
    fc.property(octets, octets, fc.integer({ min: 0, max: 32 }), (block, address, prefix) => {
      const list = new AddressList([`${block.join('.')}/${prefix}`])
      const shift = BigInt(32 - prefix)
      expect(list.has(address.join('.'))).toBe(bits(block, 8n) >> shift === bits(address, 8n) >> shift)
      // The last bit that counts, turned over: just outside.
      if (prefix === 0) return
      const near = block.map((octet, index) =>
        index === (prefix - 1) >> 3 ? octet ^ (0x80 >> ((prefix - 1) & 7)) : octet,
      )
      expect(list.has(near.join('.'))).toBe(false)
      expect(list.has(block.join('.'))).toBe(true)
    }),
  )
})

test('a block has the addresses whose first bits are its own: IPv6', () => {
  const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 })
  const written = (of: readonly number[]): string => of.map((group) => group.toString(16)).join(':')
  fc.assert(
    fc.property(groups, groups, fc.integer({ min: 1, max: 128 }), (block, address, prefix) => {
      const list = new AddressList([`${written(block)}/${prefix}`])
      const shift = BigInt(128 - prefix)
      expect(list.has(written(address))).toBe(bits(block, 16n) >> shift === bits(address, 16n) >> shift)
      const near = block.map((group, index) =>
        index === (prefix - 1) >> 4 ? group ^ (0x8000 >> ((prefix - 1) & 15)) : group,
      )
      expect(list.has(written(near))).toBe(false)
      expect(list.has(written(block))).toBe(true)
    }),
  )
})
