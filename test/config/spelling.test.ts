import { expect, test } from 'vitest'
import { interpret } from '../../src/config/interpret.ts'
import { parse } from '../../src/config/parser.ts'

test.each([
  ['gop_cache off;', 'play { gop_cache off; }'],
  ['queue_length 10;', 'play { queue_length 10; }'],
  ['time_jitter zero;', 'play { time_jitter zero; }'],
  ['atc on; atc_auto off;', 'play { atc on; atc_auto off; }'],
  ['mw_latency 100;', 'play { mw_latency 100; }'],
  ['mix_correct on;', 'play { mix_correct on; }'],
  ['send_min_interval 10.0;', 'play { send_min_interval 10; }'],
  ['reduce_sequence_header on;', 'play { reduce_sequence_header on; }'],
  ['mr { enabled off; latency 500; }', 'publish { mr off; mr_latency 500; }'],
  ['publish_1stpkt_timeout 1000;', 'publish { firstpkt_timeout 1000; }'],
  ['publish_normal_timeout 1000;', 'publish { normal_timeout 1000; }'],
  ['refer a b;', 'refer { enabled on; all a b; }'],
  ['refer_play a; refer_publish b;', 'refer { enabled on; play a; publish b; }'],
  ['refer { enabled off; } refer_play a;', 'refer { enabled off; play a; }'],
  ['forward a b;', 'forward { enabled on; destination a b; }'],
  ['mode remote; origin a b; token_traverse on;', 'cluster { mode remote; origin a b; token_traverse on; }'],
  ['vhost b; debug_srs_upnode off;', 'cluster { vhost b; debug_srs_upnode off; }'],
  ['http { enabled on; mount /x; }', 'http_static { enabled on; mount /x; }'],
  ['play { atc on; } gop_cache off;', 'play { atc on; gop_cache off; }'],
])('%s is %s', (older, newer) => {
  const [one, other] = [older, newer].map((text) => interpret(parse(`vhost a { ${text} }`, 'x.conf')).config)
  expect(one).toEqual(other)
  expect(one).not.toEqual(interpret(parse('vhost a { }', 'x.conf')).config)
})

test('http_stream is http_server', () => {
  const { config } = interpret(parse('http_stream { enabled on; listen 80; }', 'x.conf'))
  expect(config.httpServer).toMatchObject({ enabled: true, listen: [{ host: null, port: 80 }] })
})

test('a second spelling is ignored in favour of the newer one, wherever it stands', () => {
  const text = `
    vhost a {
      gop_cache off;
      play { gop_cache on; queue_length 10; }
      queue_length 20;
      refer a;
      refer { enabled on; all b; }
    }
    srs_log_level error;
    srs_log_level_v2 warn;
    http_stream { listen 80; }
    http_server { listen 81; }`
  const { config, warnings } = interpret(parse(text, 'x.conf'))
  expect(config).toMatchObject({
    log: { level: 'warn' },
    httpServer: { listen: [{ port: 81 }] },
    vhosts: { a: { play: { gopCache: true, queueLength: 10 }, refer: { all: ['b'] } } },
  })
  expect(warnings).toEqual([
    'x.conf:3: "gop_cache" is ignored: its newer spelling, vhost/play/gop_cache, is given too, at x.conf:4',
    'x.conf:5: "queue_length" is ignored: its newer spelling, vhost/play/queue_length, is given too, at x.conf:4',
    'x.conf:6: "refer" is ignored: its newer spelling, vhost/refer/all, is given too, at x.conf:7',
    'x.conf:9: "srs_log_level" is ignored: its newer spelling, srs_log_level_v2, is given too, at x.conf:10',
    'x.conf:11: "http_stream" is ignored: its newer spelling, http_server, is given too, at x.conf:12',
  ])
})

test('errors and warnings name the spelling that was used, in its place', () => {
  expect(interpret(parse('vhost a {\n mix_correct on; }', 'x.conf')).warnings).toEqual([
    'x.conf:2: "mix_correct" is accepted but not acted on (yet)',
  ])
  for (const [text, message] of [
    ['publish_1stpkt_timeout x;', '"publish_1stpkt_timeout" accepts an integer from 100 to 600000, not "x"'],
    ['mr { latency x; }', '"latency" accepts auto or an integer from 0 to 10000, not "x"'],
    ['mr on;', '"mr" is a section: expected "mr { … }"'],
    ['http on;', '"http" is a section: expected "http { … }"'],
    ['gop_cache { }', '"gop_cache" is no section: expected "gop_cache …;"'],
    [
      'forward;',
      '"forward" takes one or more arguments (one or more servers: host or host:port, or rtmps://host:port), not none',
    ],
  ]) {
    expect(() => interpret(parse(`vhost a { ${text} }`, 'x.conf'))).toThrow(message)
  }
})
