import { Check } from 'typebox/value'
import { expect, test } from 'vitest'
import { interpret } from '../../src/config/interpret.ts'
import { parse } from '../../src/config/parser.ts'
import {
  directivesOf,
  isActedOn,
  type Line,
  nameOf,
  type Section,
  sectionOf,
} from '../../src/config/schema/declare.ts'
import { configuration } from '../../src/config/schema/global.ts'
import { flag } from '../../src/config/schema/lines.ts'

/** All directives with one line, by the path of their names. */
function lines(section: Section = configuration, path = ''): [string, Line][] {
  return [...directivesOf(section.entries)].flatMap(([name, directive]) => {
    if (directive.kind === 'line') return [[path + name, directive] satisfies [string, Line]]
    const inner = sectionOf(directive)
    return inner ? lines(inner, `${path}${name}/`) : []
  })
}

test('every default is a value that its directive accepts', () => {
  const wrong = lines().filter(([, line]) => !Check(line.schema, line.defaultValue))
  expect(wrong.map(([path]) => path)).toEqual([])
})

test('every JSON Schema carries the description and the default of its directive', () => {
  for (const [, line] of lines()) {
    expect(line.schema).toMatchObject({ description: line.doc, default: line.defaultValue })
  }
})

test('the JSON Schema of the configuration is plain JSON and accepts what was read', () => {
  const { config } = interpret(parse('vhost a { transcode { engine { } } } stream_caster { }', 'x.conf'))
  const schema = JSON.parse(JSON.stringify(configuration.schema))
  expect(Check(schema, config)).toBe(true)
  expect(Check(schema, { ...config, workerProcesses: 0 })).toBe(false)
  expect(Check(schema, { ...config, vhosts: { a: {} } })).toBe(false)
})

/** The lines of `engine { }`. */
const engineLines = [
  'abitrate',
  'achannels',
  'acodec',
  'asample_rate',
  'enabled',
  'iformat',
  'oformat',
  'output',
  'vbitrate',
  'vcodec',
  'vfps',
  'vheight',
  'vpreset',
  'vprofile',
  'vthreads',
  'vwidth',
]

test('Weir acts on these directives', () => {
  const acted = lines().filter(([, line]) => isActedOn(line))
  expect(acted.map(([path]) => path).sort()).toEqual(
    [
      'action_timeout',
      'chunk_size',
      'connect_timeout',
      'daemon',
      'ff_log_dir',
      'ff_log_level',
      'exporter/enabled',
      'exporter/label',
      'exporter/listen',
      'exporter/tag',
      'force_grace_quit',
      'grace_final_wait',
      'grace_start_wait',
      'handshake_timeout',
      'heartbeat/device_id',
      'heartbeat/enabled',
      'heartbeat/interval',
      'heartbeat/ports',
      'heartbeat/summaries',
      'heartbeat/url',
      'http_api/allow_method_param',
      'http_api/auth/enabled',
      'http_api/auth/password',
      'http_api/auth/tokens',
      'http_api/auth/username',
      'http_api/crossdomain',
      'http_api/enabled',
      'http_api/listen',
      'http_api/origins',
      'http_api/pages',
      'http_server/crossdomain',
      'http_server/dir',
      'http_server/enabled',
      'http_server/listen',
      'http_server/pages',
      'http_server/vod/cache_size',
      'http_server/vod/enabled',
      'http_server/vod/fragment',
      'http_server/vod/mount',
      'http_server/vod/queue',
      'http_server/vod/threads',
      'http_workers',
      'listen',
      'max_chunk_streams',
      'max_connections',
      'max_message_size',
      'max_processes',
      'max_sources',
      'pid',
      'pithy_print_ms',
      'http_api/https/enabled',
      'http_api/https/listen',
      'http_api/https/key',
      'http_api/https/cert',
      'http_server/https/enabled',
      'http_server/https/listen',
      'http_server/https/key',
      'http_server/https/cert',
      'rtmps/cert',
      'rtmps/enabled',
      'rtmps/key',
      'rtmps/listen',
      'runtime_dir',
      'source_linger',
      'spare_processes',
      'stats/disk',
      'stats/network',
      'srs_log_file',
      'srs_log_level_v2',
      'srs_log_tank',
      'stall_timeout',
      'utc_time',
      'work_dir',
      'worker_processes',
      'vhost/bandcheck/enabled',
      'vhost/bandcheck/interval',
      'vhost/bandcheck/key',
      'vhost/bandcheck/limit_kbps',
      'vhost/chunk_size',
      'vhost/cluster/token_traverse',
      'vhost/dvr/dvr_apply',
      'vhost/dvr/dvr_duration',
      'vhost/dvr/dvr_path',
      'vhost/dvr/dvr_plan',
      'vhost/dvr/dvr_wait_keyframe',
      'vhost/dvr/enabled',
      'vhost/dvr/time_jitter',
      'vhost/enabled',
      'vhost/exec/enabled',
      'vhost/exec/publish',
      'vhost/ingest/enabled',
      'vhost/ingest/ffmpeg',
      'vhost/ingest/input/type',
      'vhost/ingest/input/url',
      'vhost/transcode/enabled',
      'vhost/transcode/ffmpeg',
      ...['ingest', 'transcode'].flatMap((section) =>
        engineLines.map((name) => `vhost/${section}/engine/${name}`),
      ),
      'vhost/forward/backend',
      'vhost/forward/destination',
      'vhost/forward/enabled',
      'vhost/hls/enabled',
      'vhost/hls/hls_acodec',
      'vhost/hls/hls_aof_ratio',
      'vhost/hls/hls_cleanup',
      'vhost/hls/hls_dispose',
      'vhost/hls/hls_entry_prefix',
      'vhost/hls/hls_fragment',
      'vhost/hls/hls_fragments_per_key',
      'vhost/hls/hls_key_file',
      'vhost/hls/hls_key_file_path',
      'vhost/hls/hls_key_url',
      'vhost/hls/hls_keys',
      'vhost/hls/hls_m3u8_file',
      'vhost/hls/hls_nb_notify',
      'vhost/hls/hls_on_error',
      'vhost/hls/hls_path',
      'vhost/hls/hls_td_ratio',
      'vhost/hls/hls_ts_file',
      'vhost/hls/hls_ts_floor',
      'vhost/hls/hls_vcodec',
      'vhost/hls/hls_wait_keyframe',
      'vhost/hls/hls_window',
      'vhost/in_ack_size',
      'vhost/min_latency',
      'vhost/out_ack_size',
      'vhost/tcp_nodelay',
      'vhost/http_hooks/enabled',
      'vhost/http_hooks/hook_on_error',
      'vhost/http_hooks/hook_retry',
      'vhost/http_hooks/hook_secret',
      'vhost/http_hooks/hook_timeout',
      'vhost/http_hooks/on_close',
      'vhost/http_hooks/on_connect',
      'vhost/http_hooks/on_dvr',
      'vhost/http_hooks/on_hls',
      'vhost/http_hooks/on_hls_notify',
      'vhost/http_hooks/on_play',
      'vhost/http_hooks/on_publish',
      'vhost/http_hooks/on_stop',
      'vhost/http_hooks/on_unpublish',
      'vhost/http_remux/drop_if_not_match',
      'vhost/http_remux/enabled',
      'vhost/http_remux/fast_cache',
      'vhost/http_remux/guess_has_av',
      'vhost/http_remux/has_audio',
      'vhost/http_remux/has_video',
      'vhost/http_remux/hstrs',
      'vhost/http_remux/hstrs_timeout',
      'vhost/http_remux/mount',
      'vhost/http_static/dir',
      'vhost/http_static/enabled',
      'vhost/http_static/mount',
      'vhost/play/atc',
      'vhost/play/atc_auto',
      'vhost/play/gop_cache',
      'vhost/play/gop_cache_max_bytes',
      'vhost/play/mw_latency',
      'vhost/play/queue_length',
      'vhost/play/time_jitter',
      'vhost/publish/firstpkt_timeout',
      'vhost/publish/mr',
      'vhost/publish/mr_latency',
      'vhost/publish/normal_timeout',
      'vhost/publish/policy',
      'max_connections_per_ip',
      'vhost/refer/enabled',
      'vhost/refer/all',
      'vhost/refer/publish',
      'vhost/refer/play',
      'vhost/security/enabled',
      'vhost/security/allow',
      'vhost/security/deny',
      'vhost/auth/enabled',
      'vhost/auth/publish',
      'vhost/auth/play',
      'vhost/auth/secret',
      'vhost/auth/jwt_secret',
      'vhost/auth/jwt_key',
      'vhost/auth/jwks_url',
      'vhost/auth/jwks_cache',
      'vhost/auth/jwks_cooldown',
      'vhost/auth/jwks_timeout',
      'vhost/auth/algorithms',
      'vhost/auth/issuer',
      'vhost/auth/audience',
      'vhost/auth/leeway',
    ].sort(),
  )
})

test.each([
  ['gopCache', 'gop_cache'],
  ['hlsM3u8File', 'hls_m3u8_file'],
  ['tcpNodelay', 'tcp_nodelay'],
  ['pid', 'pid'],
])('the value %s is of the directive %s', (key, name) => {
  expect(nameOf(key, flag('on', '', {}))).toBe(name)
})
