/** The directives outside of any section: SRS's, then Weir's own, then the sections. */
import { group, named, repeated, section, since1, since2, since6 } from './declare.ts'
import { originCluster } from './global-cluster.ts'
import { exporter, heartbeat, httpApi, httpServer, rtmps, stats, streamCaster } from './global-sections.ts'
import { autoInteger, decimal, duration, endpoints, flag, integer, path, size, text, word } from './lines.ts'
import { vhost } from './vhost.ts'

const acted = { acted: true }
const aDay = 86_400

const log = group({
  tank: word('file', ['file', 'console'], 'Where the log goes: a file, or standard output.', {
    ...since1,
    acted: true,
    name: 'srs_log_tank',
  }),
  level: word(
    'info',
    ['trace', 'debug', 'info', 'warn', 'error'],
    'The least important lines that are logged.',
    {
      ...since6,
      acted: true,
      name: 'srs_log_level_v2',
      formerly: {
        srs_log_level: {
          srs: [1, 2, 6],
          words: { verbose: 'trace', info: 'debug', trace: 'info', warn: 'warn', error: 'error' },
        },
      },
    },
  ),
  file: path('./objs/weir.log', 'The log file.', { ...since1, acted: true, name: 'srs_log_file' }),
})

const srsDirectives = {
  listen: endpoints(
    '1935',
    'The RTMP addresses to listen on; a port alone means all addresses, port 0 lets the system pick one.',
    { ...since1, acted: true },
  ),
  pid: path('./objs/weir.pid', 'The pid file; a second server on the same one is refused.', {
    ...since1,
    acted: true,
  }),
  chunkSize: integer(
    '60000',
    { min: 128, max: 16_777_215, unit: 'bytes' },
    'The chunk size that Weir announces and sends with; some old clients cannot take more than 65536.',
    { ...since1, acted: true },
  ),
  log,
  maxConnections: integer(
    '1000',
    { min: 1, max: 1_000_000 },
    'How many RTMP connections may be open at a time; more are refused.',
    { ...since1, acted: true },
  ),
  daemon: flag('on', 'Whether the server goes into the background.', { ...since1, acted: true }),
  workDir: path('./', 'The directory that the server changes to; relative paths count from it.', {
    ...since2,
    acted: true,
  }),
  pithyPrintMs: integer(
    '10000',
    { min: 100, max: 3_600_000, unit: 'ms' },
    'How often the repeated lines about connections are logged: one line for all of a kind.',
    { ...since2, acted: true },
  ),
  graceFinalWait: integer(
    '3200',
    { min: 0, max: aDay * 1000, unit: 'ms' },
    'How long a graceful stop (SIGQUIT) waits for clients to leave before it ends them.',
    { ...since6, acted: true },
  ),
  forceGraceQuit: flag('off', 'Makes SIGTERM stop gracefully too; SIGINT never does.', {
    ...since6,
    acted: true,
  }),
  graceStartWait: integer(
    '2300',
    { min: 0, max: aDay * 1000, unit: 'ms' },
    'How long a graceful stop still takes new clients: a load balancer may send some until it knows.',
    { ...since6, acted: true },
  ),
  ffLogDir: path('./objs', 'Where each FFmpeg writes its log; /dev/null for nowhere.', {
    ...since1,
    acted: true,
  }),
  ffLogLevel: text('info', 'a log level of FFmpeg', 'How much FFmpeg logs; off: what it does by itself.', {
    ...since6,
    acted: true,
  }),
  utcTime: flag('off', 'Writes the times in file names in UTC instead of local time.', {
    ...since2,
    acted: true,
  }),
  asprocess: flag('off', 'Ends the server when its parent process ends.', since2),
  serverId: text('', 'any text', 'A name for this server that stays the same over restarts.', {
    ...since6,
    example: 'my-server',
  }),
  emptyIpOk: flag('on', 'Accepts clients whose address is not known.', since6),
  inDocker: flag('off', 'Says that the server runs in a container.', since6),
  disableDaemonForDocker: flag('on', 'Stays in the foreground in a container.', since6),
  inotifyAutoReload: flag('off', 'Reloads the configuration whenever its file changes.', since6),
  autoReloadForDocker: flag('on', 'The same, in a container only.', since6),
  queryLatestVersion: flag('off', 'Asks the home server of SRS for its newest version (SRS: on).', since2),
  firstWaitForQlv: integer(
    '300',
    { min: 0, max: aDay, unit: 's' },
    'How long after the start SRS asks for the newest version.',
    since6,
  ),
  tcmallocReleaseRate: decimal(
    '0.8',
    { min: 0, max: 10 },
    'How eagerly the C++ allocator of SRS gives memory back.',
    since6,
  ),
  isFull: flag('off', 'Marks a file as a reference that no server shall run with.', since6),
}

const ownDirectives = {
  workerProcesses: autoInteger(
    'auto',
    { min: 1, max: 256 },
    'Processes that hold the connections of clients; auto is one for each core.',
    acted,
  ),
  maxProcesses: autoInteger(
    'auto',
    { min: 1, max: 4096 },
    'Back-source processes at most, beyond which streams share one; auto is 8 for each core, at least 32.',
    acted,
  ),
  maxConnectionsPerIp: integer(
    '0',
    { min: 0, max: 1_000_000 },
    'How many connections one IP address (of IPv6: one /64) may have open at a time; 0: as many as there may be.',
    acted,
  ),
  maxSources: integer('10000', { min: 1, max: 1_000_000 }, 'Streams at most; more are refused.', acted),
  spareProcesses: integer(
    '1',
    { min: 0, max: 256 },
    'Back-source processes kept ready, so that a publish waits for no process to start.',
    acted,
  ),
  httpWorkers: integer(
    '1',
    { min: 0, max: 64 },
    'Processes that serve HTTP, when http_server or http_api is enabled.',
    acted,
  ),
  runtimeDir: path(
    './objs/run',
    'The directory of the Unix sockets between processes; keep it short, the system allows 107 bytes.',
    acted,
  ),
  ramDir: path(
    '/dev/shm',
    'The directory, on a file system in memory, for what is not to be on a disk (`hls_storage ram`).',
    acted,
  ),
  maxMessageSize: size(
    '8m',
    { min: '64k', max: '64m' },
    'The longest RTMP message that a peer may send.',
    acted,
  ),
  maxChunkStreams: integer(
    '1024',
    { min: 8, max: 65_597 },
    'How many chunk streams one connection may use.',
    acted,
  ),
  handshakeTimeout: duration('5', { min: 0.1, max: 3600 }, 'Time for the handshake, in all.', acted),
  connectTimeout: duration(
    '10',
    { min: 0.1, max: 3600 },
    'Time from the start of a connection until its connect command.',
    acted,
  ),
  actionTimeout: duration(
    '20',
    { min: 0.1, max: 3600 },
    'Time from the start of a connection until it publishes or plays.',
    acted,
  ),
  stallTimeout: duration(
    '30',
    { min: 1, max: 3600 },
    'How long a player may take nothing of what waits for it before it is closed.',
    acted,
  ),
  sourceLinger: duration(
    '10',
    { min: 0, max: 3600 },
    'How long a stream without publisher and players is kept.',
    acted,
  ),
}

/** The whole configuration. */
export const configuration = section(
  'The configuration.',
  {},
  {
    ...srsDirectives,
    ...ownDirectives,
    rtmps,
    heartbeat,
    stats,
    httpApi,
    httpServer,
    streamCaster: repeated(streamCaster),
    exporter,
    cluster: originCluster,
    vhosts: named(vhost, [1, Number.POSITIVE_INFINITY]),
  },
  {
    pithy_print: 'SRS 1: how often each kind of line is logged; today `pithy_print_ms` says it for all.',
    rtc_server: 'SRS 6: WebRTC.',
    srt_server: 'SRS 6: SRT.',
    threads: 'SRS 6: its threads.',
    circuit_breaker: 'SRS 6: what it leaves out under load.',
    tencentcloud_cls: 'SRS 6: a log service of Tencent Cloud.',
    tencentcloud_apm: 'SRS 6: a tracing service of Tencent Cloud.',
  },
)
