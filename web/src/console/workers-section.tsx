import { formatBytes, formatCount, formatDuration, formatPercent } from '../shared/format.ts'
import type { WorkerData } from './api-client.ts'
import { DataTable } from './data-table.tsx'

const columns = ['Process', 'Processor', 'Memory', 'Event loop', 'Connections', 'Streams', 'Running for']

const roleNames: Readonly<Record<WorkerData['role'], string>> = {
  master: 'Master',
  stream: 'Stream worker',
  'back-source': 'Back-source',
  http: 'HTTP worker',
}

/** A timer that is later than this is worth a look, in milliseconds. */
const lateMs = 100

/** The processes of the server, and how busy each is. */
export function WorkersSection({ workers }: { readonly workers: readonly WorkerData[] }) {
  return (
    <section aria-labelledby="processes">
      <h2 id="processes">
        Processes <span class="count">{formatCount(workers.length)}</span>
      </h2>
      <DataTable columns={columns}>
        {workers.map((worker) => (
          <WorkerRow key={worker.pid} worker={worker} />
        ))}
      </DataTable>
    </section>
  )
}

function WorkerRow({ worker }: { readonly worker: WorkerData }) {
  const { role, index, pid, state } = worker
  const cpu = worker.cpu_percent ?? 0
  const delay = worker.event_loop?.delay_ms ?? 0
  return (
    <tr data-state={state}>
      <th scope="row">
        {roleNames[role]} {role !== 'master' && index}
        <small>pid {pid}</small>
      </th>
      {state === 'running' ? (
        <>
          <td data-label="Processor">
            <Meter value={cpu} label={`Processor of ${roleNames[role]} ${index}`} /> {formatPercent(cpu)}
          </td>
          <td data-label="Memory">{formatBytes(worker.rss_bytes ?? 0)}</td>
          <td data-label="Event loop">
            {formatPercent(worker.event_loop?.utilization ?? 0)} busy
            <small class={delay > lateMs ? 'warn' : ''}>{delay} ms late at most</small>
          </td>
          <td data-label="Connections">{formatCount(worker.connections ?? 0)}</td>
          <td data-label="Streams">{formatCount(worker.streams ?? 0)}</td>
          <td data-label="Running for">{formatDuration(worker.uptime ?? 0)}</td>
        </>
      ) : (
        <td colSpan={6} class={state === 'silent' ? 'warn' : 'hint'}>
          {state === 'silent' ? 'It does not answer.' : 'It starts.'}
        </td>
      )}
    </tr>
  )
}

function Meter({ value, label }: { readonly value: number; readonly label: string }) {
  return (
    <meter class="meter" min={0} max={1} high={0.85} value={Math.min(1, value)} aria-label={label}>
      {formatPercent(value)}
    </meter>
  )
}
