import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ownAddress } from '../../base/own-address.ts'
import { version } from '../../base/version.ts'
import { nothingKnownOf, statOfProcesses } from '../machine/process-stat.ts'
import { type ProcessView, sumOf } from '../views.ts'
import type { ApiHost } from './api-host.ts'
import { codes, envelope } from './envelope.ts'
import { features } from './features.ts'
import { resource } from './resource.ts'
import type {
  MemInfos,
  RequestEcho,
  Rusages,
  SelfProcStats,
  Summary,
  SystemProcStats,
} from './schema/system.ts'

const microseconds = 1e-6

/** What SRS tells of itself and its machine. Where SRS is one process, all processes of the server are added up. */
export function registerSystem(fastify: FastifyInstance, host: ApiHost): void {
  const data = (path: string, make: (request: FastifyRequest) => object | Promise<object>): void => {
    resource(fastify, host, `/api/v1/${path}`, {
      GET: async (request) => ({ ...envelope(host.identity), data: await make(request) }),
    })
  }
  data('versions', versionData)
  data('summaries', () => summary(host))
  data('rusages', async () => rusages(await host.inspector.usage()))
  data('self_proc_stats', () => selfProcStats(host))
  data('system_proc_stats', () => systemProcStats(host))
  data('meminfos', () => meminfos(host))
  data('authors', () => ({ license: 'MIT', contributors: 'the contributors of Weir' }))
  data('features', () => ({ options: '', options2: '', build: '', build2: version, features }))
  data('requests', echo)
  data('tests/requests', echo)
  resource(fastify, host, '/api/v1/tests/errors', { GET: () => envelope(host.identity, codes.test) })
  resource(fastify, host, '/api/v1/tests/redirects', {
    GET: (_request, reply) => reply.redirect('/api/v1/tests/errors', 301),
  })
}

function versionData() {
  const [major = 0, minor = 0, revision = 0] = version.split('.').map((part) => Number.parseInt(part, 10))
  return { major, minor, revision, version }
}

/** The summary of the server and its machine. */
export async function summary(host: ApiHost): Promise<Summary> {
  const [processes, { server, traffic }] = await Promise.all([
    host.inspector.recentProcesses(),
    host.inspector.traffic(),
  ])
  const { cpus, takenMs, cpuShare, disk, memory, network, sockets, uptime, idle, load } = host.machine.read()
  const now = Date.now()
  const rssKbytes = Math.round(sumOfStatus(processes, ({ rssBytes }) => rssBytes) / 1024)
  return {
    ok: processes.every(({ state }) => state !== 'silent'),
    now_ms: now,
    self: {
      ...{ version, pid: server.pid, ppid: server.ppid, argv: server.argv, cwd: server.cwd },
      mem_kbyte: rssKbytes,
      mem_percent: Number((rssKbytes / memory.MemTotal).toFixed(6)),
      cpu_percent: cpuShareOf(processes),
      srs_uptime: Math.floor(server.uptimeMs / 1000),
      ip: ownAddress(host.config.stats.network),
    },
    system: {
      cpu_percent: cpuShare,
      ...{ disk_read_KBps: disk.readKBps, disk_write_KBps: disk.writeKBps, disk_busy_percent: disk.busy },
      ...{ mem_ram_kbyte: memory.MemTotal, mem_ram_percent: memory.percent_ram },
      ...{ mem_swap_kbyte: memory.SwapTotal, mem_swap_percent: memory.percent_swap },
      ...{ cpus, cpus_online: cpus, uptime, ilde_time: idle },
      ...{ load_1m: load[0], load_5m: load[1], load_15m: load[2] },
      net_sample_time: takenMs,
      ...{ net_recv_bytes: network.recvBytes, net_send_bytes: network.sendBytes },
      ...{ net_recvi_bytes: network.innerRecvBytes, net_sendi_bytes: network.innerSendBytes },
      srs_sample_time: now,
      srs_recv_bytes: sumOf(traffic, ({ recvBytes }) => recvBytes),
      srs_send_bytes: sumOf(traffic, ({ sendBytes }) => sendBytes),
      ...{ conn_sys: sockets.tcp, conn_sys_et: sockets.established, conn_sys_tw: sockets.timeWait },
      ...{ conn_sys_udp: sockets.udp, conn_srs: sumOf(traffic, ({ clients }) => clients) },
    },
  }
}

/** @param usages of all processes; the largest resident memories are added up, as if all had been so at once */
export function rusages(usages: readonly NodeJS.ResourceUsage[]): Rusages {
  const sum = (field: keyof NodeJS.ResourceUsage): number => sumOf(usages, (usage) => usage[field])
  return {
    ...{ ok: true, sample_time: Date.now() },
    ru_utime: Math.floor(sum('userCPUTime') * microseconds),
    ru_stime: Math.floor(sum('systemCPUTime') * microseconds),
    ru_maxrss: sum('maxRSS'),
    ...{ ru_ixrss: sum('sharedMemorySize'), ru_idrss: sum('unsharedDataSize') },
    ...{ ru_isrss: sum('unsharedStackSize'), ru_minflt: sum('minorPageFault') },
    ...{ ru_majflt: sum('majorPageFault'), ru_nswap: sum('swappedOut') },
    ...{ ru_inblock: sum('fsRead'), ru_oublock: sum('fsWrite') },
    ...{ ru_msgsnd: sum('ipcSent'), ru_msgrcv: sum('ipcReceived'), ru_nsignals: sum('signalsCount') },
    ...{ ru_nvcsw: sum('voluntaryContextSwitches'), ru_nivcsw: sum('involuntaryContextSwitches') },
  }
}

async function selfProcStats({ inspector }: ApiHost): Promise<SelfProcStats> {
  const { processes } = await inspector.status()
  const pids = processes.map(({ pid }) => pid)
  const stat = statOfProcesses(pids)
  const sampled = { sample_time: Date.now(), percent: cpuShareOf(processes) }
  return { ok: stat !== null, ...sampled, ...(stat ?? nothingKnownOf(pids[0] ?? 0)) }
}

function systemProcStats({ machine }: ApiHost): SystemProcStats {
  const { cpuTimes, cpuShare } = machine.read()
  const ticks = Object.entries(cpuTimes).map(([kind, value]) => [kind, Math.round(value)])
  return {
    ...{ ok: true, sample_time: Date.now(), percent: cpuShare },
    ...(Object.fromEntries(ticks) as typeof cpuTimes),
  }
}

function meminfos({ machine }: ApiHost): MemInfos {
  return { ok: true, sample_time: Date.now(), ...machine.read().memory }
}

/** Headers that hold what only the client shall know. */
const secretHeaders: readonly string[] = ['authorization', 'proxy-authorization', 'cookie']

function echo({ raw, headers }: FastifyRequest): RequestEcho {
  const shown = Object.entries(headers).filter(([name]) => !secretHeaders.includes(name))
  const url = raw.url ?? '/'
  return {
    ...{ uri: url, path: url.replace(/\?.*$/s, ''), METHOD: raw.method ?? '' },
    headers: Object.fromEntries(shown.map(([name, value]) => [name, String(value)])),
    server: { sigature: 'Weir', version, link: '', time: Date.now() },
  }
}

function sumOfStatus(
  processes: readonly ProcessView[],
  value: (status: NonNullable<ProcessView['status']>) => number,
): number {
  return sumOf(processes, ({ status }) => (status === null ? 0 : value(status)))
}

function cpuShareOf(processes: readonly ProcessView[]): number {
  return Number(sumOfStatus(processes, ({ cpuShare }) => cpuShare).toFixed(4))
}
