/** Who may publish and play, and the bandwidth check. */
import { type About, section } from './declare.ts'
import { decimal, duration, flag, integer, list, rules, text, words } from './lines.ts'

const domains = 'one or more domains'

const acted: About = { acted: true }
const acted2: About = { srs: [2, 6], acted: true }
const acted6: About = { srs: [6], acted: true }

export const refer = section('Restricts the pages that publish and play.', acted6, {
  enabled: flag('off', 'Whether the page of a client is checked.', acted6),
  all: list('', domains, 'The domains whose pages, and those of domains below, may publish and play.', {
    ...acted6,
    formerly: { 'vhost/refer': { srs: [1, 2] } },
    example: 'example.com example.org',
  }),
  publish: list('', domains, 'The domains whose pages may publish.', {
    ...acted6,
    formerly: { 'vhost/refer_publish': { srs: [1, 2] } },
    example: 'example.com',
  }),
  play: list('', domains, 'The domains whose pages may play.', {
    ...acted6,
    formerly: { 'vhost/refer_play': { srs: [1, 2] } },
    example: 'example.com',
  }),
})

export const security = section('Restricts the addresses that publish and play.', acted2, {
  enabled: flag(
    'off',
    'Whether the address of a client is checked: a deny that names it wins, then an allow; one allow anywhere closes the rest.',
    acted2,
  ),
  allow: rules('Allows an action to an address; may be given several times.', {
    ...acted2,
    example: 'play all',
  }),
  deny: rules('Denies an action to an address; may be given several times.', {
    ...acted2,
    example: 'publish 192.0.2.7',
  }),
})

const conditions = ['none', 'signed', 'jwt'] as const

export const auth = section('Lets clients publish and play with a signed URL or a token (JWT) only.', acted, {
  enabled: flag('off', 'Whether clients are asked for one.', acted),
  publish: words(
    'none',
    conditions,
    'What a publisher has to have: a signed URL, a token, or either of them.',
    acted,
  ),
  play: words('none', conditions, 'What a player has to have.', acted),
  secret: list(
    '',
    'one or more secrets of 16 characters at least',
    'Secrets of signed URLs: `weir sign` takes the first, and any of them is accepted.',
    { ...acted, example: 'change-this-secret the-one-before-it' },
  ),
  jwtSecret: list(
    '',
    'one or more secrets of 16 characters at least',
    'Secrets that tokens are signed with (HS256).',
    { ...acted, example: 'change-this-secret' },
  ),
  jwtKey: list('', 'one or more paths', 'Public keys or certificates (PEM) of who signs tokens.', {
    ...acted,
    example: './conf/jwt.pem',
  }),
  jwksUrl: text('', 'a URL', 'Where the public keys of who signs tokens are found (JWKS).', {
    ...acted,
    example: 'https://id.example.com/.well-known/jwks.json',
  }),
  jwksCache: duration('10m', { min: 1, max: 86_400 }, 'How long these keys are kept.', acted),
  jwksCooldown: duration(
    '30',
    { min: 1, max: 3600 },
    'The least time between two loads: tokens with keys that nobody knows cause no more.',
    acted,
  ),
  jwksTimeout: duration('5', { min: 0.1, max: 60 }, 'How long a load may take.', acted),
  algorithms: words(
    'HS256 RS256 ES256 EdDSA',
    [
      ...(['HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512'] as const),
      ...(['PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const),
    ],
    'How tokens may be signed: HS… with a secret, the others with a key.',
    acted,
  ),
  issuer: text('', 'any text', 'The `iss` that a token must have.', {
    ...acted,
    example: 'https://id.example.com',
  }),
  audience: list('', 'one or more names', 'The `aud` of which a token must have one.', {
    ...acted,
    example: 'streaming',
  }),
  leeway: duration('10', { min: 0, max: 300 }, 'By how much clocks may differ (`exp`, `nbf`).', acted),
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
