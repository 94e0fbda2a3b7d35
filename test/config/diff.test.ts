import { expect, test } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { diffConfig } from '../../src/config/diff.ts'
import { interpret } from '../../src/config/interpret.ts'
import { parse } from '../../src/config/parser.ts'

function configOf(text: string): Config {
  return interpret(parse(text, 'x.conf')).config
}

const none = { global: [], vhosts: { added: [], removed: [], changed: {} } }

test.each([
  ['', '', none],
  ['vhost a { gop_cache off; }', 'vhost a { play { gop_cache off; } }', none],
  ['listen 1935;', 'listen 1935 1936;', { ...none, global: ['listen'] }],
  ['', 'srs_log_level warn; daemon off;', { ...none, global: ['log.level', 'daemon'] }],
  ['', 'http_server { https { listen 1; } }', { ...none, global: ['httpServer.https.listen'] }],
  ['stream_caster { }', 'stream_caster { caster flv; }', { ...none, global: ['streamCaster'] }],
  [
    '',
    'vhost a { } vhost b { }',
    { ...none, vhosts: { added: ['a', 'b'], removed: ['__defaultVhost__'], changed: {} } },
  ],
  [
    'vhost a { } vhost b { }',
    'vhost a { play { gop_cache off; queue_length 5; } enabled off; } vhost b { }',
    {
      ...none,
      vhosts: { added: [], removed: [], changed: { a: ['enabled', 'play.gopCache', 'play.queueLength'] } },
    },
  ],
  [
    'vhost a { ingest x { } ingest y { } }',
    'vhost a { ingest x { input { url u; } } ingest z { } }',
    {
      ...none,
      vhosts: { added: [], removed: [], changed: { a: ['ingest.x.input.url', 'ingest.y', 'ingest.z'] } },
    },
  ],
  [
    'vhost a { }',
    'chunk_size 4096; vhost a { }',
    { global: ['chunkSize'], vhosts: { added: [], removed: [], changed: { a: ['chunkSize'] } } },
  ],
])('from %j to %j', (before, after, expected) => {
  expect(diffConfig(configOf(before), configOf(after))).toEqual(expected)
})

test('names of vhosts are never mistaken for those of Object.prototype', () => {
  const diff = diffConfig(configOf('vhost a { }'), configOf('vhost a { } vhost constructor { }'))
  expect(diff.vhosts.added).toEqual(['constructor'])
})
