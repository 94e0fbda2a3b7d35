import { useCallback } from 'preact/hooks'
import { formatCount, formatDuration } from '../shared/format.ts'
import type { ApiClient, ProgramData, StreamData } from './api-client.ts'
import { DataTable } from './data-table.tsx'
import { streamTitle } from './streams-section.tsx'
import { useRefreshed } from './use-refreshed.ts'

const columns = ['Program', 'Stream', 'State', 'Started again', 'Running for']

const refreshMs = 2000

const kindNames: Readonly<Record<ProgramData['kind'], string>> = {
  transcode: 'Transcode',
  exec: 'Exec',
  ingest: 'Ingest',
}

const stateNames: Readonly<Record<ProgramData['state'], string>> = {
  running: 'runs',
  waiting: 'starts again soon',
  stopping: 'is told to end',
  stopped: 'has ended',
}

interface ProgramsSectionProps {
  readonly api: ApiClient
  readonly streams: readonly StreamData[]
  readonly isConnected: boolean
}

/** Programs beside the server: what runs for streams, and what brings some; nothing as long as there is none. */
export function ProgramsSection({ api, streams, isConnected }: ProgramsSectionProps) {
  const ask = useCallback(() => api.programs(), [api])
  const programs = useRefreshed(ask, isConnected, refreshMs)
  if (programs === null || programs.length === 0) return null
  const titles = new Map(streams.map((stream) => [stream.id, streamTitle(stream)]))
  return (
    <section aria-labelledby="programs">
      <h2 id="programs">
        Programs <span class="count">{formatCount(programs.length)}</span>
      </h2>
      <DataTable columns={columns}>
        {programs.map((program) => (
          <ProgramRow
            key={`${program.kind} ${program.vhost} ${program.stream} ${program.name}`}
            program={program}
            stream={titles.get(program.stream) ?? '–'}
          />
        ))}
      </DataTable>
    </section>
  )
}

interface ProgramRowProps {
  readonly program: ProgramData
  /** As a person names it. */
  readonly stream: string
}

function ProgramRow({ program, stream }: ProgramRowProps) {
  const { kind, name, vhost, state, pid, restarts, last_error: error, uptime } = program
  return (
    <tr data-program={name}>
      <th scope="row" class="breakable">
        {kindNames[kind]} {name}
        {pid !== 0 && <small>pid {pid}</small>}
      </th>
      <td data-label="Stream" class="breakable">
        {stream}
        {vhost !== '__defaultVhost__' && <small>{vhost}</small>}
      </td>
      <td data-label="State" class="breakable">
        <span class="tag" data-kind={state === 'running' ? 'play' : 'trouble'}>
          {stateNames[state]}
        </span>
        {error !== '' && <small class="warn breakable">{error}</small>}
      </td>
      <td data-label="Started again">{restarts === 0 ? '–' : `${formatCount(restarts)} ×`}</td>
      <td data-label="Running for">{state === 'running' ? formatDuration(uptime) : '–'}</td>
    </tr>
  )
}
