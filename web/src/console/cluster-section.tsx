import { useCallback, useState } from 'preact/hooks'
import type { ClusterData } from '../../../src/http/api/schema/cluster.ts'
import { formatCount, formatDuration } from '../shared/format.ts'
import type { ApiClient } from './api-client.ts'
import { DataTable } from './data-table.tsx'
import { useRefreshed } from './use-refreshed.ts'

const nodeColumns = ['Node', 'State', 'Streams', 'HTTP', 'Version', 'Running for']
const streamColumns = ['Stream of the cluster', 'Node']

const pageSize = 10

const refreshMs = 3000

/** A server that works alone may join a cluster with a reload. */
const aloneMs = 30_000

interface ClusterSectionProps {
  readonly api: ApiClient
  readonly isConnected: boolean
}

/** The servers that share their streams, and which of them has which; nothing of a server that works alone. */
export function ClusterSection({ api, isConnected }: ClusterSectionProps) {
  const [start, setStart] = useState(0)
  const [isClustered, setClustered] = useState(false)
  const ask = useCallback(async () => {
    const cluster = await api.cluster(start, pageSize)
    setClustered(cluster.registry === 'redis')
    // The last page has gone with its streams.
    if (cluster.streams.length === 0 && start > 0 && cluster.connected)
      setStart(Math.max(0, start - pageSize))
    return cluster
  }, [api, start])
  const cluster = useRefreshed(ask, isConnected, isClustered ? refreshMs : aloneMs)
  if (cluster === null || cluster.registry === 'memory') return null
  return (
    <section aria-labelledby="cluster">
      <h2 id="cluster">
        Cluster <span class="count">{formatCount(cluster.nodes.length)}</span>
      </h2>
      {cluster.connected ? (
        <DataTable columns={nodeColumns}>
          {cluster.nodes.map((node) => (
            <NodeRow key={node.node} node={node} isThis={node.node === cluster.node} />
          ))}
        </DataTable>
      ) : (
        <p class="notice">
          Redis does not answer this node ({cluster.node}): nothing is known of the others. Streams go on, and
          new ones are taken here.
        </p>
      )}
      {cluster.streams.length > 0 && <StreamPlaces cluster={cluster} start={start} onStart={setStart} />}
    </section>
  )
}

interface NodeRowProps {
  readonly node: ClusterData['nodes'][number]
  readonly isThis: boolean
}

function NodeRow({ node, isThis }: NodeRowProps) {
  const { node: name, rtmp, http, version, streams, uptime, age, alive } = node
  return (
    <tr data-node={name}>
      <th scope="row" class="breakable">
        {name} {isThis && <span class="tag">this server</span>}
        <small class="breakable">{rtmp}</small>
      </th>
      <td data-label="State" class={alive ? '' : 'warn'}>
        {alive ? 'alive' : `silent for ${formatDuration(age)}`}
      </td>
      <td data-label="Streams">{formatCount(streams)}</td>
      <td data-label="HTTP" class="breakable">
        {http === '' ? '–' : http}
      </td>
      <td data-label="Version">{version}</td>
      <td data-label="Running for">{alive ? formatDuration(uptime) : '–'}</td>
    </tr>
  )
}

interface StreamPlacesProps {
  readonly cluster: ClusterData
  readonly start: number
  onStart(start: number): void
}

function StreamPlaces({ cluster: { streams, total }, start, onStart }: StreamPlacesProps) {
  const last = start + streams.length
  return (
    <>
      <DataTable columns={streamColumns}>
        {streams.map(({ id, vhost, app, name, node }) => (
          <tr key={id} data-place={name}>
            <th scope="row" class="breakable">
              {`${app}/${name}`}
              {vhost !== '__defaultVhost__' && <small>{vhost}</small>}
            </th>
            <td data-label="Node">{node}</td>
          </tr>
        ))}
      </DataTable>
      {total > pageSize && (
        <nav class="pager" aria-label="Pages of streams of the cluster">
          <button type="button" disabled={start === 0} onClick={() => onStart(start - pageSize)}>
            Before
          </button>
          <span>
            {formatCount(start + 1)}–{formatCount(last)} of {formatCount(total)}
          </span>
          <button type="button" disabled={last >= total} onClick={() => onStart(start + pageSize)}>
            After
          </button>
        </nav>
      )}
    </>
  )
}
