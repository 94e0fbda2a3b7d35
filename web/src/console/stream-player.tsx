import { useEffect, useState } from 'preact/hooks'
import { PlayerView } from '../player/player-view.tsx'
import { loadFacts, type PageFacts } from '../shared/facts.ts'
import { addressesOf } from '../shared/play-addresses.ts'
import type { StreamData } from './api-client.ts'

/** A stream that plays in the console, by any protocol that its virtual host has. */
export function StreamPlayer({ stream }: { readonly stream: StreamData }) {
  const [facts, setFacts] = useState<PageFacts | null>(null)
  const [problem, setProblem] = useState('')
  const [chosen, setChosen] = useState(0)
  const { vhost, app, name } = stream
  useEffect(() => {
    loadFacts(vhost).then(setFacts, () => setProblem('The server does not answer.'))
  }, [vhost])
  if (facts === null) return <p class="hint">{problem || 'One moment…'}</p>
  const addresses = addressesOf(facts, { app, stream: name }, location.href)
  const address = addresses[chosen]
  if (address === undefined) {
    return (
      <p class="hint">
        This stream is not served over HTTP: <code>{'http_remux { enabled on; }'}</code> in its virtual host,
        and <code>{'http_server { enabled on; }'}</code>, would let pages play it.
      </p>
    )
  }
  return (
    <>
      <PlayerView
        title={`Stream ${app}/${name}`}
        addresses={addresses}
        chosen={chosen}
        onChoose={setChosen}
      />
      <p class="hint address">
        <code>{address.url}</code>
        <a href={`../players/?${new URLSearchParams({ url: address.url })}`}>Open in a page of its own</a>
      </p>
    </>
  )
}
