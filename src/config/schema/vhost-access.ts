/** Who may publish and play, and the bandwidth check. */
import { type About, section, since2, since6 } from './declare.ts'
import { decimal, flag, integer, list, rules, text } from './lines.ts'

const domains = 'one or more domains'

export const refer = section('Restricts the pages that publish and play.', since6, {
  enabled: flag('off', 'Whether the page of a client is checked.', since6),
  all: list('', domains, 'The domains whose pages may publish and play.', {
    ...since6,
    formerly: { 'vhost/refer': { srs: [1, 2] } },
    example: 'example.com example.org',
  }),
  publish: list('', domains, 'The domains whose pages may publish.', {
    ...since6,
    formerly: { 'vhost/refer_publish': { srs: [1, 2] } },
    example: 'example.com',
  }),
  play: list('', domains, 'The domains whose pages may play.', {
    ...since6,
    formerly: { 'vhost/refer_play': { srs: [1, 2] } },
    example: 'example.com',
  }),
})

export const security = section('Restricts the addresses that publish and play.', since2, {
  enabled: flag(
    'off',
    'Whether the address of a client is checked; without a rule for it, it is refused.',
    since2,
  ),
  allow: rules('Allows an action to an address; may be given several times.', {
    ...since2,
    example: 'play all',
  }),
  deny: rules('Denies an action to an address; may be given several times.', {
    ...since2,
    example: 'publish 192.0.2.7',
  }),
})

const acted12: About = { srs: [1, 2], acted: true }

export const bandcheck = section(
  'Lets clients measure their bandwidth to this server: those that connect with `?key=K` behind the application.',
  { srs: [1, 2] },
  {
    enabled: flag('off', 'Whether the check is offered.', acted12),
    key: text('', 'any text', 'The key that a client must give; without one no check is made.', {
      ...acted12,
      example: 'secret',
    }),
    interval: decimal(
      '30',
      { min: 0, max: 86_400, unit: 's' },
      'The least time between two checks.',
      acted12,
    ),
    limitKbps: integer(
      '1000',
      { min: 1, max: 10_000_000, unit: 'kbps' },
      'The most that a check may use, in either direction.',
      acted12,
    ),
  },
)
