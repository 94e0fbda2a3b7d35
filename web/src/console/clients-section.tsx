import { useEffect, useState } from 'preact/hooks'
import { formatBitrate, formatBytes, formatCount, formatDuration } from '../shared/format.ts'
import type { ApiClient, ClientData, ClientPage } from './api-client.ts'
import { DataTable } from './data-table.tsx'

const columns = ['Client', 'Stream', 'Protocol', 'Address', 'Rate', 'Transferred', 'Connected for', 'Actions']

const pageSize = 25

/** As many as the API gives at once: a search goes through these. */
const searchSize = 1000

const refreshMs = 2000

interface ClientsSectionProps {
  readonly api: ApiClient
  /** Whether the server answers: else there is nothing to ask. */
  readonly isConnected: boolean
  /** Changes when a client was closed: the list is asked for at once. */
  readonly changes: number
  readonly onKick: (client: ClientData) => void
}

/** Who publishes and who plays, in pages. */
export function ClientsSection({ api, isConnected, changes, onKick }: ClientsSectionProps) {
  const [start, setStart] = useState(0)
  const [search, setSearch] = useState('')
  const [page, setPage] = useState<ClientPage | null>(null)
  const isSearch = search.trim() !== ''
  useEffect(() => {
    if (!isConnected) return
    let isWanted = true
    let timer = 0
    const ask = async (): Promise<void> => {
      try {
        const answer = await (isSearch ? api.clients(0, searchSize) : api.clients(start, pageSize))
        if (!isWanted) return
        setPage(answer)
        // The last page has gone with its clients.
        if (answer.clients.length === 0 && start > 0) setStart(Math.max(0, start - pageSize))
      } catch {
        // The feed tells what is wrong with the server.
      }
      if (isWanted) timer = window.setTimeout(ask, refreshMs)
    }
    ask()
    return () => {
      isWanted = false
      window.clearTimeout(timer)
    }
  }, [api, isConnected, isSearch, start, changes])
  if (page === null) return null
  const shown = isSearch ? page.clients.filter((client) => matches(client, search)) : page.clients
  return (
    <section aria-labelledby="clients">
      <div class="section-head">
        <h2 id="clients">
          Clients <span class="count">{formatCount(page.total)}</span>
        </h2>
        <input
          type="search"
          value={search}
          placeholder="Search stream, address, protocol…"
          aria-label="Search clients"
          onInput={({ currentTarget }) => setSearch(currentTarget.value)}
        />
      </div>
      {shown.length === 0 ? (
        <p class="hint">{isSearch ? 'No client fits.' : 'Nobody is connected.'}</p>
      ) : (
        <DataTable columns={columns}>
          {shown.slice(0, isSearch ? 100 : pageSize).map((client) => (
            <ClientRow key={client.id} client={client} onKick={() => onKick(client)} />
          ))}
        </DataTable>
      )}
      {isSearch && page.total > searchSize && (
        <p class="hint">Among the first {formatCount(searchSize)} clients.</p>
      )}
      {!isSearch && page.total > pageSize && (
        <nav class="pager" aria-label="Pages of clients">
          <button type="button" disabled={start === 0} onClick={() => setStart(start - pageSize)}>
            Previous
          </button>
          <span>
            {formatCount(start + 1)}–{formatCount(start + page.clients.length)} of {formatCount(page.total)}
          </span>
          <button
            type="button"
            disabled={start + pageSize >= page.total}
            onClick={() => setStart(start + pageSize)}
          >
            Next
          </button>
        </nav>
      )}
    </section>
  )
}

interface ClientRowProps {
  readonly client: ClientData
  readonly onKick: () => void
}

function ClientRow({ client, onKick }: ClientRowProps) {
  const { id, url, protocol, ip, publish, alive, kbps, pageUrl } = client
  const bytes = publish ? client.recv_bytes : client.send_bytes
  const rate = publish ? kbps.recv_30s : kbps.send_30s
  return (
    <tr data-client={id}>
      <th scope="row">
        <span class="tag" data-kind={publish ? 'publish' : 'play'}>
          {publish ? 'publishes' : 'plays'}
        </span>
        <small class="mono">{id}</small>
      </th>
      <td data-label="Stream" class="breakable">
        {url}
        {pageUrl !== '' && <small class="breakable">{pageUrl}</small>}
      </td>
      <td data-label="Protocol">{protocol}</td>
      <td data-label="Address" class="breakable">
        {ip}
      </td>
      <td data-label="Rate">{formatBitrate(rate * 1000)}</td>
      <td data-label="Transferred">{formatBytes(bytes)}</td>
      <td data-label="Connected for">{formatDuration(alive)}</td>
      <td class="actions">
        <button type="button" class="quiet kick" aria-label={`Kick ${id}`} onClick={onKick}>
          Kick
        </button>
      </td>
    </tr>
  )
}

function matches({ id, url, protocol, ip, type }: ClientData, search: string): boolean {
  const text = [id, url, protocol, ip, type].join(' ').toLowerCase()
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word))
}
