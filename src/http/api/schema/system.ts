/** The server as a program on its machine, as SRS tells it. */
import Type, { type Static } from 'typebox'
import { answerOf, bytes, count, dataOf, share } from './common.ts'

const names = Type.Record(Type.String(), Type.String(), { description: 'What there is, by name.' })
export const indexAnswer = answerOf({ urls: names, tests: Type.Optional(names) })

export const versionAnswer = dataOf({
  major: Type.Integer(),
  minor: Type.Integer(),
  revision: Type.Integer(),
  version: Type.String(),
})

const self = Type.Object({
  version: Type.String(),
  pid: Type.Integer({ description: 'Of the master.' }),
  ppid: Type.Integer(),
  argv: Type.String(),
  cwd: Type.String(),
  mem_kbyte: Type.Integer({ description: 'Resident, of all processes.' }),
  mem_percent: share('The same of the memory of the machine, 0 to 1.'),
  cpu_percent: share('Of all processes, in cores: 1 is one core.'),
  srs_uptime: Type.Integer({ description: 'Seconds.' }),
  ip: Type.String({ description: 'The address that stats { network } chooses.' }),
})

const system = Type.Object({
  cpu_percent: share('0 to 1, over all cores.'),
  disk_read_KBps: count('kB/s, of all disks.'),
  disk_write_KBps: count('kB/s, of all disks.'),
  disk_busy_percent: share('0 to 1 for each disk of stats { disk }.'),
  mem_ram_kbyte: Type.Integer(),
  mem_ram_percent: share('In use, without buffers and cache, 0 to 1.'),
  mem_swap_kbyte: Type.Integer(),
  mem_swap_percent: share('In use, 0 to 1.'),
  cpus: Type.Integer(),
  cpus_online: Type.Integer(),
  uptime: Type.Number({ description: 'Of the machine, in seconds.' }),
  ilde_time: Type.Number({
    description: 'Seconds in which its cores were idle, added up. SRS spells it so.',
  }),
  load_1m: Type.Number(),
  load_5m: Type.Number(),
  load_15m: Type.Number(),
  net_sample_time: Type.Integer({ description: 'Milliseconds since 1970.' }),
  net_recv_bytes: bytes('Over devices with a public address.'),
  net_send_bytes: bytes('Over devices with a public address.'),
  net_recvi_bytes: bytes('Over all other devices.'),
  net_sendi_bytes: bytes('Over all other devices.'),
  srs_sample_time: Type.Integer({ description: 'Milliseconds since 1970.' }),
  srs_recv_bytes: bytes('From clients.'),
  srs_send_bytes: bytes('To clients.'),
  conn_sys: count('TCP sockets of the machine.'),
  conn_sys_et: count('Those that are established.'),
  conn_sys_tw: count('Those in TIME_WAIT.'),
  conn_sys_udp: count('UDP sockets of the machine.'),
  conn_srs: count('Clients of this server.'),
})

const summary = Type.Object({
  ok: Type.Boolean({ description: 'Whether everything could be read.' }),
  now_ms: Type.Integer({ description: 'Milliseconds since 1970.' }),
  self,
  system,
})
export const summariesAnswer = answerOf({ data: summary })

const sampled = {
  ok: Type.Boolean({ description: 'Whether this system tells it.' }),
  sample_time: Type.Integer({ description: 'Milliseconds since 1970.' }),
}
const integers = <const N extends readonly string[]>(...names: N) => {
  const properties = names.map((name) => [name, Type.Integer()])
  return Object.fromEntries(properties) as Record<N[number], ReturnType<typeof Type.Integer>>
}

export const rusagesAnswer = dataOf({
  ...sampled,
  ...integers('ru_utime', 'ru_stime', 'ru_maxrss', 'ru_ixrss', 'ru_idrss', 'ru_isrss', 'ru_minflt'),
  ...integers('ru_majflt', 'ru_nswap', 'ru_inblock', 'ru_oublock', 'ru_msgsnd', 'ru_msgrcv', 'ru_nsignals'),
  ...integers('ru_nvcsw', 'ru_nivcsw'),
})

export const selfProcStatsAnswer = dataOf({
  ...sampled,
  percent: share('Of all processes, in cores.'),
  pid: Type.Integer(),
  comm: Type.String(),
  state: Type.String(),
  ...integers(
    'ppid',
    'pgrp',
    'session',
    'tty_nr',
    'tpgid',
    'flags',
    'minflt',
    'cminflt',
    'majflt',
    'cmajflt',
  ),
  ...integers('utime', 'stime', 'cutime', 'cstime', 'priority', 'nice', 'num_threads', 'itrealvalue'),
  ...integers('starttime', 'vsize', 'rss', 'rsslim', 'startcode', 'endcode', 'startstack', 'kstkesp'),
  ...integers('kstkeip', 'signal', 'blocked', 'sigignore', 'sigcatch', 'wchan', 'nswap', 'cnswap'),
  ...integers('exit_signal', 'processor', 'rt_priority', 'policy', 'delayacct_blkio_ticks', 'guest_time'),
  ...integers('cguest_time'),
})

export const systemProcStatsAnswer = dataOf({
  ...sampled,
  percent: share('0 to 1, over all cores.'),
  ...integers('user', 'nice', 'sys', 'idle', 'iowait', 'irq', 'softirq', 'steal', 'guest'),
})

export const meminfosAnswer = dataOf({
  ...sampled,
  percent_ram: share('0 to 1.'),
  percent_swap: share('0 to 1.'),
  ...integers('MemActive', 'RealInUse', 'NotInUse', 'MemTotal', 'MemFree', 'Buffers', 'Cached'),
  ...integers('SwapTotal', 'SwapFree'),
})

export const authorsAnswer = dataOf({ license: Type.String(), contributors: Type.String() })

const flags = <const N extends readonly string[]>(...names: N) => {
  const properties = names.map((name) => [name, Type.Boolean()])
  return Object.fromEntries(properties) as Record<N[number], ReturnType<typeof Type.Boolean>>
}
const featuresSchema = Type.Object({
  ...flags('ssl', 'hls', 'hds', 'callback', 'api', 'httpd', 'dvr', 'transcode', 'ingest', 'stat', 'caster'),
  ...flags('complex_send', 'tcp_nodelay', 'so_sendbuf', 'mr'),
})
export const featuresAnswer = dataOf({
  options: Type.String(),
  options2: Type.String(),
  build: Type.String(),
  build2: Type.String(),
  features: featuresSchema,
})

export const requestsAnswer = dataOf({
  uri: Type.String(),
  path: Type.String(),
  METHOD: Type.String(),
  headers: Type.Record(Type.String(), Type.String(), {
    description: 'Without those that hold a password.',
  }),
  server: Type.Object({
    sigature: Type.String({ description: 'SRS spells it so.' }),
    version: Type.String(),
    link: Type.String(),
    time: Type.Integer({ description: 'Milliseconds since 1970.' }),
  }),
})

export type Summary = Static<typeof summary>
export type Rusages = Static<typeof rusagesAnswer>['data']
export type SelfProcStats = Static<typeof selfProcStatsAnswer>['data']
export type SystemProcStats = Static<typeof systemProcStatsAnswer>['data']
export type MemInfos = Static<typeof meminfosAnswer>['data']
export type Features = Static<typeof featuresSchema>
export type RequestEcho = Static<typeof requestsAnswer>['data']
