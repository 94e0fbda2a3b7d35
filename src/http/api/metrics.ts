import { version } from '../../base/version.ts'
import type { Config } from '../../config/config.ts'
import type { ClusterStatus } from '../../ipc/cluster-facts.ts'
import { maxPageSize, type ServerFacts } from '../../ipc/contract.ts'
import type { DvrStatus } from '../../ipc/dvr-status.ts'
import type { HlsEdgeFacts } from '../../ipc/hls-edge-facts.ts'
import type { HookCount } from '../../ipc/hook-facts.ts'
import type { ProgramFacts } from '../../ipc/program-facts.ts'
import { displayName } from '../../live/stream-key.ts'
import type { ProcessView, StreamView, TrafficView } from '../views.ts'
import { sumOf } from '../views.ts'
import type { ApiHost } from './api-host.ts'
import type { ServerIdentity } from './envelope.ts'
import { addLinks } from './metrics-links.ts'
import { type Labels, MetricsPage, maxLabelled, type Values } from './metrics-page.ts'

export { metricsType } from './metrics-page.ts'

/**
 * What the server does, in Prometheus's text format. It is asked for when it is scraped: nothing is kept in between, so that
 * what is gone leaves no series behind. This module brings the library: it is loaded with the first scrape.
 */
export async function metricsText(host: ApiHost): Promise<string> {
  const page = new MetricsPage({})
  addServer(page, await gather(host), host.config)
  return page.text()
}

/**
 * The same as the exporter of SRS gives it: beside Weir's names SRS's own, so that dashboards made for SRS show this server;
 * and on all of them `label` and `tag`, if they are set.
 */
export async function exporterText(host: ApiHost): Promise<string> {
  const { label, tag } = host.config.exporter
  const page = new MetricsPage({ ...(label && { label }), ...(tag && { tag }) })
  const facts = await gather(host)
  addSrsNames(page, facts, host.identity)
  addServer(page, facts, host.config)
  return page.text()
}

interface Facts {
  readonly processes: readonly ProcessView[]
  readonly server: ServerFacts
  readonly traffic: readonly TrafficView[]
  readonly streams: readonly StreamView[]
  readonly streamsTotal: number
  readonly programs: readonly ProgramFacts[]
  readonly hooks: readonly HookCount[]
  readonly cluster: ClusterStatus | null
}

async function gather({ inspector, config }: ApiHost): Promise<Facts> {
  const hasHooks = Object.values(config.vhosts).some(({ httpHooks }) => httpHooks.enabled)
  const [processes, { server, traffic }, { items, total }, programs, hooks, cluster] = await Promise.all([
    inspector.recentProcesses(),
    inspector.traffic(),
    inspector.streams(0, maxPageSize),
    inspector.programs(),
    hasHooks ? inspector.hooks() : [],
    config.cluster.registry === 'redis' ? inspector.cluster(0, 1) : null,
  ])
  return { processes, server, traffic, streams: items, streamsTotal: total, programs, hooks, cluster }
}

function addServer(page: MetricsPage, facts: Facts, config: Config): void {
  const { processes, server, traffic, streams, streamsTotal, hooks } = facts
  page.gauge('build_info', 'Always 1; the version is a label.', [[{ version }, 1]])
  page.gauge('uptime_seconds', 'Since the server was started.', [[{}, server.uptimeMs / 1000]])
  page.gauge('connections', 'Connections that count against max_connections.', [[{}, server.connections]])
  page.gauge('connections_max', 'max_connections.', [[{}, config.maxConnections]])
  page.counter('connections_admitted_total', 'Connections since the start.', [
    [{}, server.admittedConnections],
  ])
  page.counter('connections_failed_total', 'Of these, connections that ended with an error.', [
    [{}, server.failedConnections],
  ])
  page.counter('connections_refused_total', 'Connections refused because of max_connections.', [
    [{}, server.refusedConnections],
  ])
  page.gauge('streams', 'Streams that are published, or wait for their publisher to return.', [
    [{}, streamsTotal],
  ])
  addTraffic(page, traffic)
  addStreams(page, streams)
  addLinks(page, streams)
  page.gauge('streams_unlabelled', 'Streams without series of their own.', [
    [{}, streamsTotal - Math.min(streams.length, maxLabelled)],
  ])
  addHooks(page, hooks)
  addProcesses(page, processes)
  addPrograms(page, facts.programs)
  if (facts.cluster !== null) addCluster(page, facts.cluster)
}

/** Of SRS's metrics those that Weir can tell; what it adds up goes over all processes. */
function addSrsNames(page: MetricsPage, facts: Facts, identity: ServerIdentity): void {
  const { processes, traffic, streamsTotal } = facts
  const { admittedConnections, failedConnections } = facts.server
  const running = processes.flatMap(({ status }) => status ?? [])
  const { server, service, pid } = identity
  const [major = ''] = version.split('.')
  page.gauge('srs_build_info', 'Always 1.', [
    [{ server, service, pid, build_date: '', major, version, code: 'Weir' }, 1],
  ])
  page.gauge('srs_cpu_percent', 'Of all processes; 100 is a core.', [
    [{}, 100 * sumOf(running, ({ cpuShare }) => cpuShare)],
  ])
  page.gauge('srs_memory', 'Of all processes, in kB.', [
    [{}, Math.round(sumOf(running, ({ rssBytes }) => rssBytes) / 1024)],
  ])
  page.counter('srs_send_bytes_total', 'To clients.', [[{}, sumOf(traffic, ({ sendBytes }) => sendBytes)]])
  page.counter('srs_receive_bytes_total', 'From clients.', [
    [{}, sumOf(traffic, ({ recvBytes }) => recvBytes)],
  ])
  page.gauge('srs_streams', 'Streams.', [[{}, streamsTotal]])
  page.gauge('srs_clients', 'Publishers and players.', [[{}, sumOf(traffic, ({ clients }) => clients)]])
  page.counter('srs_clients_total', 'Connections since the start.', [[{}, admittedConnections]])
  page.counter('srs_clients_errs_total', 'Of these, those that ended with an error.', [
    [{}, failedConnections],
  ])
}

function addTraffic(page: MetricsPage, traffic: readonly TrafficView[]): void {
  const clients = new Map<string, number>()
  const add = (role: string, protocol: string, number: number): void => {
    const key = `${role} ${protocol}`
    clients.set(key, (clients.get(key) ?? 0) + number)
  }
  for (const { publishers, players } of traffic) {
    add('publish', 'rtmp', publishers)
    for (const [protocol, number] of Object.entries(players)) add('play', protocol, number)
  }
  page.gauge(
    'clients',
    'Publishers and players.',
    [...clients].map(([key, number]) => {
      const [role = '', protocol = ''] = key.split(' ')
      return [{ role, protocol }, number]
    }),
  )
  const vhosts = traffic.slice(0, maxLabelled)
  const values = (value: (view: TrafficView) => number): Values =>
    vhosts.map((view) => [{ vhost: view.vhost }, value(view)])
  page.counter(
    'vhost_send_bytes_total',
    'To the clients of a virtual host.',
    values((view) => view.sendBytes),
  )
  page.counter(
    'vhost_receive_bytes_total',
    'From the clients of a virtual host.',
    values((view) => view.recvBytes),
  )
}

function addStreams(page: MetricsPage, streams: readonly StreamView[]): void {
  const labelled = streams
    .slice(0, maxLabelled)
    .map((view) => ({ view, labels: { stream: displayName(view.stream) } }))
  const values = (value: (view: StreamView) => number): Values =>
    labelled.map(({ view, labels }) => [labels, value(view)])
  page.gauge(
    'stream_published',
    'Whether somebody publishes the stream.',
    values(({ sourceId }) => Number(sourceId !== '')),
  )
  page.gauge(
    'stream_players',
    'Players of a stream.',
    labelled.flatMap(({ view, labels }) =>
      Object.entries(view.players).map(([protocol, number]) => [{ ...labels, protocol }, number] as const),
    ),
  )
  page.counter(
    'stream_receive_bytes_total',
    'From publishers of a stream.',
    values((view) => view.recvBytes),
  )
  page.counter(
    'stream_send_bytes_total',
    'To players of a stream.',
    values((view) => view.sendBytes),
  )
  page.counter(
    'stream_video_frames_total',
    'Video frames that came.',
    values((view) => view.frames),
  )
  page.counter(
    'stream_hls_lost_segments_total',
    'HLS segments that could not be written.',
    labelled.flatMap(({ view, labels }) => (view.hls === null ? [] : [[labels, view.hls.lost] as const])),
  )
  const recorded = (value: (dvr: DvrStatus) => number): Values =>
    labelled.flatMap(({ view, labels }) => (view.dvr === null ? [] : [[labels, value(view.dvr)] as const]))
  page.gauge(
    'stream_recording',
    'Whether a recording of a stream is being written.',
    recorded(({ recording }) => Number(recording)),
  )
  page.gauge(
    'stream_recording_bytes',
    'Of the recording that is being written.',
    recorded(({ bytes }) => bytes),
  )
  page.counter(
    'stream_recordings_total',
    'Recordings that are whole.',
    recorded(({ files }) => files),
  )
  page.counter(
    'stream_recording_errors_total',
    'How often a recording could not be written.',
    recorded(({ errors }) => errors),
  )
}

const hookOutcomes = ['answered', 'refused', 'failed', 'retried', 'dropped'] as const

/** Of the processes that live: one that ends takes its numbers along. */
function addHooks(page: MetricsPage, hooks: readonly HookCount[]): void {
  if (hooks.length === 0) return
  page.counter(
    'hook_calls_total',
    'Callbacks to other servers (http_hooks), by what became of them.',
    hooks.flatMap((count) =>
      hookOutcomes.map((outcome) => [{ event: count.action, outcome }, count[outcome]] as const),
    ),
  )
  page.counter(
    'hook_seconds_total',
    'How long all of them took together.',
    hooks.map(({ action, seconds }) => [{ event: action }, seconds]),
  )
}

/** Back-sources come and go with streams: each would leave series behind, so that they are told together. */
function addProcesses(page: MetricsPage, processes: readonly ProcessView[]): void {
  const states = Map.groupBy(processes, ({ role, state }) => `${role} ${state}`)
  page.gauge(
    'processes',
    'Processes of the server.',
    [...states].map(([key, { length }]) => {
      const [role = '', state = ''] = key.split(' ')
      return [{ role, state }, length]
    }),
  )
  const running = processes.flatMap(({ status }) => status ?? [])
  const backSources = running.filter(({ role }) => role === 'back-source')
  const others = running.filter(({ role }) => role !== 'back-source')
  type Status = (typeof running)[number]
  const values = (value: (status: Status) => number): Values =>
    others.map((status) => [{ role: status.role, index: status.index }, value(status)])
  const longest = (value: (status: Status) => number): number => Math.max(0, ...backSources.map(value))
  page.counter(
    'process_cpu_seconds_total',
    'Processor time of a worker.',
    values(({ cpuMs }) => cpuMs / 1000),
  )
  page.gauge('process_cpu_cores', 'Processors that a process uses; of the back-sources together.', [
    ...values(({ cpuShare }) => cpuShare),
    [together, sumOf(backSources, ({ cpuShare }) => cpuShare)],
  ])
  page.gauge('process_resident_memory_bytes', 'Memory of a process; of the back-sources together.', [
    ...values(({ rssBytes }) => rssBytes),
    [together, sumOf(backSources, ({ rssBytes }) => rssBytes)],
  ])
  page.gauge('process_event_loop_utilization', 'How busy it is, 0 to 1; the busiest of the back-sources.', [
    ...values(({ eventLoopUtilization }) => eventLoopUtilization),
    [together, longest(({ eventLoopUtilization }) => eventLoopUtilization)],
  ])
  page.gauge(
    'process_event_loop_delay_seconds',
    'Its longest delay of late; the longest of the back-sources.',
    [
      ...values(({ eventLoopDelayMs }) => eventLoopDelayMs / 1000),
      [together, longest(({ eventLoopDelayMs }) => eventLoopDelayMs) / 1000],
    ],
  )
  page.gauge(
    'process_connections',
    'Connections of clients in a worker.',
    values(({ connections }) => connections),
  )
  const edges = running.flatMap(({ index, hlsEdge }) => (hlsEdge ? [{ index, hlsEdge }] : []))
  if (edges.length > 0) addHlsEdges(page, edges)
}

/** Of HTTP workers that have the HLS of other servers. */
function addHlsEdges(
  page: MetricsPage,
  edges: readonly { readonly index: number; readonly hlsEdge: HlsEdgeFacts }[],
): void {
  const values = (value: (facts: HlsEdgeFacts) => number): Values =>
    edges.map(({ index, hlsEdge }) => [{ index }, value(hlsEdge)])
  page.counter(
    'hls_edge_answers_total',
    'Requests for HLS of other servers, by what came of them.',
    edges.flatMap(({ index, hlsEdge }) =>
      Object.entries(hlsEdge.answers).map(([outcome, count]) => [{ index, outcome }, count] as const),
    ),
  )
  page.counter(
    'hls_edge_fetches_total',
    'Requests that other servers were asked with.',
    values(({ fetches }) => fetches),
  )
  page.gauge(
    'hls_edge_bytes',
    'Playlists and segments of other servers in memory.',
    values(({ bytes }) => bytes),
  )
}

function addPrograms(page: MetricsPage, programs: readonly ProgramFacts[]): void {
  const states = Map.groupBy(programs, ({ kind, state }) => `${kind} ${state}`)
  page.gauge(
    'programs',
    'Programs of others that run for streams, or bring them.',
    [...states].map(([key, { length }]) => {
      const [kind = '', state = ''] = key.split(' ')
      return [{ kind, state }, length]
    }),
  )
}

function addCluster(page: MetricsPage, cluster: ClusterStatus): void {
  const { connected, outages, acceptedAlone, lost, held, nodes, total } = cluster
  page.gauge('cluster_registry_up', 'Whether Redis has answered last.', [[{}, Number(connected)]])
  page.counter('cluster_outages_total', 'How often Redis went away.', [[{}, outages]])
  page.counter('cluster_accepted_alone_total', 'Streams taken while Redis was away.', [[{}, acceptedAlone]])
  page.counter('cluster_lost_streams_total', 'Streams that turned out to be another node’s.', [[{}, lost]])
  page.gauge('cluster_held_streams', 'Streams that are published at this node.', [[{}, held]])
  page.gauge('cluster_streams', 'Streams of all nodes.', [[{}, total]])
  const alive = nodes.filter((node) => node.alive).length
  page.gauge('cluster_nodes', 'Nodes of the cluster.', [
    [{ state: 'alive' }, alive],
    [{ state: 'dead' }, nodes.length - alive],
  ])
}

const together: Labels = { role: 'back-source', index: 'all' }
