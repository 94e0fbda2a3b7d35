import { useEffect, useState } from 'preact/hooks'
import { formatBitrate, formatBytes, formatCount, formatDuration } from '../shared/format.ts'
import type { ApiClient, ClientData, ClientPage } from './api-client.ts'
import { DataTable } from './data-table.tsx'

const columns = ['Client', 'Stream', 'Protocol', 'Address', 'Rate', 'Transferred', 'Connected for', 'Actions']

const pageSize = 25

const refreshMs = 2000

/** Whoever types is not done yet: so long nothing is asked, in milliseconds. */
const typingMs = 150

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
  const wanted = search.trim()
  useEffect(() => {
    if (!isConnected) return
    let isWanted = true
    let timer = 0
    const ask = async (): Promise<void> => {
      try {
        const answer = await api.clients(start, pageSize, wanted)
        if (!isWanted) return
        setPage(answer)
        // The last page has gone with its clients.
        if (answer.clients.length === 0 && start > 0) setStart(Math.max(0, start - pageSize))
      } catch {
        // The feed tells what is wrong with the server.
      }
      if (isWanted) timer = window.setTimeout(ask, refreshMs)
    }
    if (wanted === '') ask()
    else timer = window.setTimeout(ask, typingMs)
    return () => {
      isWanted = false
      window.clearTimeout(timer)
    }
  }, [api, isConnected, wanted, start, changes])
  if (page === null) return null
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
          onInput={({ currentTarget }) => {
            setSearch(currentTarget.value)
            setStart(0)
          }}
        />
      </div>
      {page.clients.length === 0 ? (
        <p class="hint">{wanted === '' ? 'Nobody is connected.' : 'No client fits.'}</p>
      ) : (
        <DataTable columns={columns}>
          {page.clients.map((client) => (
            <ClientRow key={client.id} client={client} onKick={() => onKick(client)} />
          ))}
        </DataTable>
      )}
      {page.total > pageSize && (
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
