import { expect, test } from 'vitest'
import type { Config, VhostConfig } from '../../src/config/config.ts'
import { interpret } from '../../src/config/interpret.ts'
import { parse } from '../../src/config/parser.ts'

function configOf(text: string): Config {
  return interpret(parse(text, 'x.conf')).config
}

/** The vhost that a text configures with the name `a`. */
function vhostIn(text: string): VhostConfig {
  const vhost = configOf(`vhost a { ${text} }`).vhosts.a
  if (!vhost) throw new Error('the vhost is missing')
  return vhost
}

/** The lines of the error that a text causes, without the file's name. */
function problemsOf(text: string): string[] {
  try {
    configOf(text)
  } catch (error) {
    if (error instanceof Error) return error.message.split('\n').map((line) => line.replace(/^x\.conf:/, ''))
  }
  return []
}

test('an empty configuration is one with all defaults', () => {
  const config = configOf('')
  expect(config).toMatchObject({
    listen: [{ host: null, port: 1935 }],
    pid: './objs/weir.pid',
    chunkSize: 60000,
    log: { tank: 'file', level: 'info', file: './objs/weir.log' },
    maxConnections: 1000,
    daemon: true,
    workerProcesses: 'auto',
    maxProcesses: 'auto',
    maxSources: 10000,
    spareProcesses: 1,
    runtimeDir: './objs/run',
    maxMessageSize: 8 * 1024 * 1024,
    maxChunkStreams: 1024,
    handshakeTimeout: 5,
    connectTimeout: 10,
    actionTimeout: 20,
    stallTimeout: 30,
    sourceLinger: 10,
    graceFinalWait: 3200,
    httpServer: { enabled: false, listen: [{ host: null, port: 8080 }] },
    streamCaster: [],
  })
  expect(Object.keys(config.vhosts)).toEqual(['__defaultVhost__'])
  expect(config.vhosts.__defaultVhost__).toMatchObject({
    enabled: true,
    chunkSize: 60000,
    minLatency: false,
    tcpNodelay: true,
    outAckSize: 2500000,
    play: {
      mwLatency: 'auto',
      gopCache: true,
      gopCacheMaxBytes: 24 * 1024 * 1024,
      queueLength: 30,
      timeJitter: 'full',
      atc: false,
      atcAuto: true,
    },
    publish: { policy: 'reject', firstpktTimeout: 20000, normalTimeout: 5000, mr: true, mrLatency: 'auto' },
    hls: { enabled: false, hlsFragment: 10 },
    httpHooks: { enabled: false, onPublish: [] },
    transcode: {},
  })
})

test('a configuration is plain data', () => {
  const config = configOf('vhost a b { transcode x { engine { vparams { t 1; } } } }')
  expect(structuredClone(config)).toEqual(config)
  expect(JSON.parse(JSON.stringify(config))).toEqual(config)
})

test.each([
  ['listen 1936;', { listen: [{ host: null, port: 1936 }] }],
  ['listen 0;', { listen: [{ host: null, port: 0 }] }],
  [
    'listen 1935 127.0.0.1:1936 [::1]:1937 example.com:1938;',
    {
      listen: [
        { host: null, port: 1935 },
        { host: '127.0.0.1', port: 1936 },
        { host: '::1', port: 1937 },
        { host: 'example.com', port: 1938 },
      ],
    },
  ],
  ['daemon off;', { daemon: false }],
  ['worker_processes 4;', { workerProcesses: 4 }],
  ['worker_processes auto;', { workerProcesses: 'auto' }],
  ['max_message_size 65536;', { maxMessageSize: 65536 }],
  ['max_message_size 64K;', { maxMessageSize: 65536 }],
  ['max_message_size 64m;', { maxMessageSize: 67108864 }],
  ['handshake_timeout 0.5;', { handshakeTimeout: 0.5 }],
  ['handshake_timeout 500ms;', { handshakeTimeout: 0.5 }],
  ['handshake_timeout 2m;', { handshakeTimeout: 120 }],
  ['source_linger 0;', { sourceLinger: 0 }],
  ['heartbeat { interval 9.3; }', { heartbeat: { interval: 9.3 } }],
  ['stats { disk sda sdb; }', { stats: { disk: ['sda', 'sdb'] } }],
  ["pid 'my server.pid';", { pid: 'my server.pid' }],
  ['srs_log_level verbose;', { log: { level: 'trace' } }],
  ['srs_log_level info;', { log: { level: 'debug' } }],
  ['srs_log_level trace;', { log: { level: 'info' } }],
  ['srs_log_level warn;', { log: { level: 'warn' } }],
  ['srs_log_level_v2 trace;', { log: { level: 'trace' } }],
  ['srs_log_level_v2 debug;', { log: { level: 'debug' } }],
  ['srs_log_level_v2 info;', { log: { level: 'info' } }],
  ['srs_log_tank console; srs_log_file x.log;', { log: { tank: 'console', file: 'x.log' } }],
  ['stream_caster { } stream_caster { caster flv; }', { streamCaster: [{}, { caster: 'flv' }] }],
])('reads %s', (text, expected) => {
  expect(configOf(text)).toMatchObject(expected)
})

test.each([
  ['play { mw_latency 0; }', { play: { mwLatency: 0 } }],
  ['play { mw_latency auto; }', { play: { mwLatency: 'auto' } }],
  ['play { gop_cache_max_bytes 1m; }', { play: { gopCacheMaxBytes: 1048576 } }],
  ['publish { policy resume; mr_latency 350; }', { publish: { policy: 'resume', mrLatency: 350 } }],
  [
    'security { allow play all; deny publish 1.2.3.4; allow publish all; }',
    {
      security: {
        allow: [
          { action: 'play', address: 'all' },
          { action: 'publish', address: 'all' },
        ],
        deny: [{ action: 'publish', address: '1.2.3.4' }],
      },
    },
  ],
  [
    'http_hooks { on_play http://a https://b/?c; on_play http://d; }',
    { httpHooks: { onPlay: ['http://a', 'https://b/?c', 'http://d'] } },
  ],
  ['http_hooks { }', { httpHooks: { hookOnError: [], hookTimeout: 5, hookRetry: 5, hookSecret: '' } }],
  [
    'http_hooks { hook_on_error accept; hook_on_error on_play refuse; }',
    {
      httpHooks: {
        hookOnError: [
          { gate: 'all', action: 'accept' },
          { gate: 'on_play', action: 'refuse' },
        ],
      },
    },
  ],
  ['exec { publish x -y z; publish u; }', { exec: { publish: [['x', '-y', 'z'], ['u']] } }],
  [
    'transcode { enabled on; } transcode live/a { engine sd { vcodec x; } engine hd { } }',
    {
      transcode: {
        '': { enabled: true, engine: {} },
        'live/a': { enabled: false, engine: { sd: { vcodec: 'x' }, hd: { vcodec: '' } } },
      },
    },
  ],
  [
    "transcode { engine { vparams { t 100; 'a b' c d; t 200; } } }",
    {
      transcode: {
        '': {
          engine: {
            '': {
              vparams: [
                ['t', '100'],
                ['a b', 'c', 'd'],
                ['t', '200'],
              ],
            },
          },
        },
      },
    },
  ],
  [
    'ingest x { input { type stream; url rtsp://a; } engine { enabled off; } }',
    { ingest: { x: { input: { type: 'stream', url: 'rtsp://a' }, engine: { '': { enabled: false } } } } },
  ],
])('reads vhost { %s }', (text, expected) => {
  expect(vhostIn(text)).toMatchObject(expected)
})

test('one section configures every vhost it names, each with data of its own', () => {
  const { a, b } = configOf('vhost a b { min_latency on; http_hooks { on_play http://x; } }').vhosts
  expect(a).toEqual(b)
  expect(a?.minLatency).toBe(true)
  expect(a?.httpHooks.onPlay).not.toBe(b?.httpHooks.onPlay)
})

test('a vhost without a chunk size of its own has the global one', () => {
  const { vhosts } = configOf('vhost a { } vhost b { chunk_size 5000; } chunk_size 4096;')
  expect([vhosts.a?.chunkSize, vhosts.b?.chunkSize]).toEqual([4096, 5000])
  expect(configOf('chunk_size 4096;').vhosts.__defaultVhost__?.chunkSize).toBe(4096)
})

test.each([
  ['daemon yes;', '1:8: "daemon" accepts on or off, not "yes"'],
  ['daemon on off;', '1:11: "daemon" takes one argument (on or off), not 2'],
  ['daemon;', '1:1: "daemon" takes one argument (on or off), not none'],
  ['daemon { }', '1:1: "daemon" is no section: expected "daemon …;"'],
  ['worker_processes 0;', '1:18: "worker_processes" accepts auto or an integer from 1 to 256, not "0"'],
  ['worker_processes 257;', '1:18: "worker_processes" accepts auto or an integer from 1 to 256, not "257"'],
  ['max_sources 1.5;', '1:13: "max_sources" accepts an integer from 1 to 1000000, not "1.5"'],
  ['max_sources 10k;', '1:13: "max_sources" accepts an integer from 1 to 1000000, not "10k"'],
  ['max_message_size 63k;', '1:18: "max_message_size" accepts a size from 64k to 64m, not "63k"'],
  ['max_message_size 8x;', '1:18: "max_message_size" accepts a size from 64k to 64m, not "8x"'],
  [
    'stall_timeout 500ms;',
    '1:15: "stall_timeout" accepts a time from 1 to 3600 seconds, such as 5, 500ms or 2m, not "500ms"',
  ],
  ['pid "";', '1:5: "pid" accepts a path, not ""'],
  [
    'listen 1935 65536;',
    '1:13: "listen" accepts one or more addresses such as 1935, 127.0.0.1:1935 or [::1]:1935, not "65536"',
  ],
  [
    'listen ::1:1935;',
    '1:8: "listen" accepts one or more addresses such as 1935, 127.0.0.1:1935 or [::1]:1935, not "::1:1935"',
  ],
  ['srs_log_tank syslog;', '1:14: "srs_log_tank" accepts file or console, not "syslog"'],
  ['srs_log_level loud;', '1:15: "srs_log_level" accepts verbose, info, trace, warn or error, not "loud"'],
  [
    'vhost a { enabled\n 1; }',
    '2:2: "enabled" accepts on or off, not "1" (is a ";" missing at the end of line 1?)',
  ],
  [
    'max_connections 5\ndaemon off;',
    '2:1: "max_connections" takes one argument (an integer from 1 to 1000000), not 3 (is a ";" missing at the end of line 1?)',
  ],
  ['vhost a { hls on; }', '1:11: "hls" is a section: expected "hls { … }"'],
  ['vhost a { hls x { } }', '1:15: the section "hls" takes no arguments before its "{", not 1'],
  ['vhost { }', '1:1: the section "vhost" takes one or more arguments before its "{", not none'],
  ['vhost a { ingest { } }', '1:11: the section "ingest" takes one argument before its "{", not none'],
  [
    'vhost a { transcode x y { } }',
    '1:23: the section "transcode" takes at most one argument before its "{", not 2',
  ],
  ['vhost __proto__ { }', '1:7: "__proto__" cannot be a name'],
  [
    'vhost a { security { allow play; } }',
    '1:22: "allow" takes 2 arguments (publish or play, and then all, an IP address or a block such as 10.0.0.0/8), not 1',
  ],
  [
    'vhost a { security { allow watch all; } }',
    '1:28: "allow" accepts publish or play, and then all, an IP address or a block such as 10.0.0.0/8, not "watch"',
  ],
  ['vhost a { transcode { engine { vparams { t { } } } } }', '1:42: there can be no sections in "vparams"'],
  [
    'vhost a { http_hooks { on_play 127.0.0.1:8085/x; } }',
    '1:32: "on_play" accepts one or more URLs that begin with http:// or https://, not "127.0.0.1:8085/x"',
  ],
  [
    'vhost a { http_hooks { hook_on_error on_close accept; } }',
    '1:38: "hook_on_error" accepts refuse or accept, and before it on_connect, on_publish or on_play if it is for one of these only, not "on_close"',
  ],
  [
    'vhost a { transcode { engine { vparams t; } } }',
    '1:32: "vparams" is a section: expected "vparams { … }"',
  ],
  ['chunk_size x; vhost a { }', '1:12: "chunk_size" accepts an integer from 128 to 16777215, not "x"'],
])('refuses %s', (text, problem) => {
  expect(problemsOf(text)).toEqual([problem])
  expect(() => configOf(text)).toThrow(expect.objectContaining({ code: 'CONFIG_BAD_VALUE' }))
})

test.each([
  ['dameon on;', '1:1: unknown directive "dameon"; did you mean "daemon"?'],
  ['max_conection 1;', '1:1: unknown directive "max_conection"; did you mean "max_connections"?'],
  ['xyz 1;', '1:1: unknown directive "xyz"'],
  ['enabled on;', '1:1: unknown directive "enabled"'],
  ['hls_fragment 5;', '1:1: unknown directive "hls_fragment"; it belongs in "vhost/hls"'],
  ['time_jitter full;', '1:1: unknown directive "time_jitter"; it belongs in "vhost/play" or "vhost/dvr"'],
  [
    'vhost a { daemon on; }',
    '1:11: unknown directive "daemon" in vhost; it belongs in the top level, outside of any section',
  ],
  ['vhost a { gop_cach on; }', '1:11: unknown directive "gop_cach" in vhost; did you mean "gop_cache"?'],
  [
    'vhost a { play { ogp_cache on; } }',
    '1:18: unknown directive "ogp_cache" in vhost/play; did you mean "gop_cache"?',
  ],
  ['vhost a { mr { latncy 1; } }', '1:16: unknown directive "latncy" in vhost/mr; did you mean "latency"?'],
  ['"vhost/gop_cache" on;', '1:1: unknown directive "vhost/gop_cache"'],
  ['constructor on;', '1:1: unknown directive "constructor"'],
])('refuses %s', (text, problem) => {
  expect(problemsOf(text)).toEqual([problem])
  expect(() => configOf(text)).toThrow(expect.objectContaining({ code: 'CONFIG_UNKNOWN_DIRECTIVE' }))
})

test.each([
  ['daemon on;\n daemon off;', '2:2: "daemon" is given twice: here and at x.conf:1:1'],
  ['stats { }\nstats { }', '2:1: "stats" is given twice: here and at x.conf:1:1'],
  ['vhost a { }\nvhost b a { }', '2:9: "vhost a" is given twice: here and at x.conf:1:1'],
  ['vhost a a { }', '1:9: "vhost a" is given twice: here and at x.conf:1:1'],
  ['vhost a { gop_cache on; gop_cache off; }', '1:25: "gop_cache" is given twice: here and at x.conf:1:11'],
  ['vhost a { transcode { } transcode { } }', '1:25: "transcode" is given twice: here and at x.conf:1:11'],
  ['vhost a { play { } play { } }', '1:20: "play" is given twice: here and at x.conf:1:11'],
])('refuses %s', (text, problem) => {
  expect(problemsOf(text)).toEqual([problem])
  expect(() => configOf(text)).toThrow(expect.objectContaining({ code: 'CONFIG_DUPLICATE' }))
})

test('reports all problems in their order, under the code of the first', () => {
  const text = 'vhost a {\n hls on;\n foo;\n}\ndaemon maybe;\ndaemon on;'
  expect(problemsOf(text).map((line) => line.split(':', 2).join(':'))).toEqual(['2:2', '3:2', '5:8', '6:1'])
  expect(() => configOf(text)).toThrow(expect.objectContaining({ code: 'CONFIG_BAD_VALUE' }))
})

test('reports twenty problems and counts the rest', () => {
  const problems = problemsOf('x;'.repeat(25))
  expect(problems).toHaveLength(21)
  expect(problems.at(-1)).toBe('and 5 more problems')
})

test('takes time in proportion to the file', () => {
  const lines = 100_000
  expect(problemsOf(`vhost a { ${'gop_cache on;'.repeat(lines)} }`).at(-1)).toBe(
    `and ${lines - 21} more problems`,
  )
  expect(problemsOf(`${'x'.repeat(1_000_000)};`)[0]).toMatch(/^1:1: unknown directive "x{60}…"$/)
})

/** The warnings of a text, without the file's name. */
function warningsOf(text: string): string[] {
  return interpret(parse(text, 'x.conf')).warnings.map((line) => line.replace(/^x\.conf:/, ''))
}

test.each([
  ['asprocess on;', ['1: "asprocess" is accepted but not acted on (yet)']],
  ['utc_time off; asprocess off; query_latest_version off;', []],
  ['listen 80; daemon off; max_connections 5; worker_processes 2; grace_final_wait 1;', []],
  ['vhost a { min_latency on; play { gop_cache off; } publish { policy replace; } }', []],
  ['vhost a {\n play {\n mw_msgs 8; } }', ['3: "mw_msgs" is accepted but not acted on (yet)']],
  ['vhost a { hls { enabled off; hls_fragment 5; } hds { } }', []],
  ['vhost a { hls {\n enabled on; hls_fragment 5; hls_dts_directly on; } }', []],
  [
    'vhost a { hls {\n enabled on; hls_dts_directly off; } }',
    ['2: "hls_dts_directly" is accepted but not acted on (yet)'],
  ],
  ['vhost a { dash {\n enabled on; dash_fragment 5; } }', ['1: "dash" is accepted but not acted on (yet)']],
  [
    'http_api {\n enabled on; raw_api {\n enabled on; } }',
    ['2: "raw_api" is accepted but not acted on (yet)'],
  ],
  ['vhost a { cluster { mode local; } }', []],
  [
    'vhost a { cluster { mode remote; origin b; coworkers c; } }',
    ['1: "coworkers" is accepted but not acted on (yet)'],
  ],
  ['vhost a { ingest x { enabled off; } ingest y { enabled on; engine { vcodec copy; } } }', []],
  ['stream_caster { enabled on; }', ['1: "stream_caster" is accepted but not acted on (yet)']],
  ['rtc_server {\n enabled on; tcp { x; } }', ['1: "rtc_server" is accepted but not acted on (yet)']],
  ['rtc_server { enabled off; }', []],
  ['pithy_print { publish 1; }', ['1: "pithy_print" is accepted but not acted on (yet)']],
  ['vhost a { rtc { nack on; } }', ['1: "rtc" is accepted but not acted on (yet)']],
  [
    'vhost a {\n\n hds { enabled on; } } force_grace_quit on;\nasprocess on;',
    ['3: "hds" is accepted but not acted on (yet)', '4: "asprocess" is accepted but not acted on (yet)'],
  ],
])('warns about %s', (text, warnings) => {
  expect(warningsOf(text)).toEqual(warnings)
})
