import { expect, test } from 'vitest'
import { interpret } from '../../src/config/interpret.ts'
import { parse } from '../../src/config/parser.ts'
import { vhostNameOf, vhostOf } from '../../src/config/vhost-of.ts'

const standard = 'vhost __defaultVhost__ { }'

test.each([
  [`vhost a { } ${standard}`, 'a', 'a'],
  [`vhost a { } ${standard}`, 'b', '__defaultVhost__'],
  [`vhost a { enabled off; } ${standard}`, 'a', '__defaultVhost__'],
  ['vhost a { }', 'b', null],
  ['vhost a { } vhost __defaultVhost__ { enabled off; }', 'b', null],
  ['vhost a { } vhost __defaultVhost__ { enabled off; }', '__defaultVhost__', null],
  ['', 'anything', '__defaultVhost__'],
  ['vhost a { }', 'constructor', null],
  ['vhost a { }', '__proto__', null],
])('in { %s } the vhost of %s is %s', (text, name, expected) => {
  const { config } = interpret(parse(text, 'x.conf'))
  expect(vhostNameOf(config, name)).toBe(expected)
  expect(vhostOf(config, name)).toBe(expected === null ? null : config.vhosts[expected])
})
