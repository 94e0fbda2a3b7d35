import { useCallback, useEffect, useState } from 'preact/hooks'
import { formatBytes, formatCount, formatDuration } from '../shared/format.ts'
import type { ApiClient, RecordingData } from './api-client.ts'
import { DataTable } from './data-table.tsx'
import { useRefreshed } from './use-refreshed.ts'

const columns = ['Recording', 'Began', 'Length', 'Size', 'Codecs', 'Actions']

const pageSize = 10

/** The server looks at its disk no more often than every two seconds. */
const refreshMs = 5000

interface RecordingsSectionProps {
  readonly api: ApiClient
  /** Origin of the site: '' if it is that of the page; null: none, so that nothing can be played. */
  readonly site: string | null
  /** Whether the server answers: else there is nothing to ask. */
  readonly isConnected: boolean
}

/** What was recorded, the newest first; nothing as long as there is none. */
export function RecordingsSection({ api, site, isConnected }: RecordingsSectionProps) {
  const [start, setStart] = useState(0)
  const ask = useCallback(() => api.recordings(start, pageSize), [api, start])
  const page = useRefreshed(ask, isConnected, refreshMs)
  // The last page has gone with its files.
  const isGone = page !== null && page.total > 0 && start >= page.total
  useEffect(() => {
    if (isGone) setStart(Math.max(0, start - pageSize))
  }, [isGone, start])
  if (page === null || page.total === 0) return null
  const last = start + page.recordings.length
  return (
    <section aria-labelledby="recordings">
      <div class="section-head">
        <h2 id="recordings">
          Recordings <span class="count">{formatCount(page.total)}</span>
        </h2>
      </div>
      <DataTable columns={columns}>
        {page.recordings.map((recording) => (
          <RecordingRow key={recording.file} recording={recording} site={site} />
        ))}
      </DataTable>
      {page.total > pageSize && (
        <nav class="pager" aria-label="Pages of recordings">
          <button type="button" disabled={start === 0} onClick={() => setStart(start - pageSize)}>
            Newer
          </button>
          <span>
            {formatCount(start + 1)}–{formatCount(last)} of {formatCount(page.total)}
          </span>
          <button type="button" disabled={last >= page.total} onClick={() => setStart(start + pageSize)}>
            Older
          </button>
        </nav>
      )}
    </section>
  )
}

interface RecordingRowProps {
  readonly recording: RecordingData
  readonly site: string | null
}

function RecordingRow({ recording, site }: RecordingRowProps) {
  const { app, stream, file, url, state, bytes, duration, started, video, audio } = recording
  const codecs = [video, audio].filter((codec) => codec !== null).join(', ')
  return (
    <tr data-recording={file}>
      <th scope="row" class="breakable">
        {`${app}/${stream}`}
        <small class="breakable">{file}</small>
      </th>
      <td data-label="Began">{new Date(started).toLocaleString()}</td>
      <td data-label="Length">{formatDuration(duration)}</td>
      <td data-label="Size">{formatBytes(bytes)}</td>
      <td data-label="Codecs">{codecs}</td>
      <td class="actions">
        {state === 'recording' && <span class="tag">is recorded</span>}
        {state === 'left' && <span class="tag">not finished</span>}
        {url !== null && site !== null && (
          <>
            <a
              href={`../players/?${new URLSearchParams({ url: `${site}${url}` })}`}
              aria-label={`Play ${file}`}
            >
              Play
            </a>{' '}
            <a href={`${site}${url}`} download aria-label={`Download ${file}`}>
              Download
            </a>
          </>
        )}
      </td>
    </tr>
  )
}
