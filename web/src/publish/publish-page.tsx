import { useState } from 'preact/hooks'
import type { PageFacts } from '../shared/facts.ts'
import { PageFrame } from '../shared/page-frame.tsx'
import { addressesOf, protocolNames } from '../shared/play-addresses.ts'
import { PublishGuide } from '../shared/publish-guide.tsx'
import { isPlainName } from '../shared/publish-lines.ts'
import { useFacts } from '../shared/use-facts.ts'

/** How to publish a stream, with the addresses of this server filled in. */
export function PublishPage() {
  const { facts, problem } = useFacts()
  return (
    <PageFrame page="publish">
      {problem !== '' && <p class="notice">{problem}</p>}
      {facts !== null && <Publish facts={facts} />}
    </PageFrame>
  )
}

function Publish({ facts }: { readonly facts: PageFacts }) {
  const [app, setApp] = useState('live')
  const [stream, setStream] = useState('livestream')
  const isUsable = isPlainName(app) && isPlainName(stream)
  const name = { app, stream }
  return (
    <div class="narrow">
      <h1>Publish a stream</h1>
      <p>Choose a name, and take one of the lines below. Who knows the name can play the stream.</p>
      <form class="name-form" onSubmit={(event) => event.preventDefault()}>
        <label>
          Application
          <input
            type="text"
            spellcheck={false}
            value={app}
            onInput={(event) => setApp(event.currentTarget.value)}
          />
        </label>
        <label>
          Stream
          <input
            type="text"
            spellcheck={false}
            value={stream}
            onInput={(event) => setStream(event.currentTarget.value)}
          />
        </label>
      </form>
      {isUsable ? (
        <>
          <PublishGuide facts={facts} name={name} />
          <PlayLinks facts={facts} name={name} />
        </>
      ) : (
        <p class="notice" role="alert">
          Take letters, digits and <code>. _ ~ -</code> for names: every encoder sends those as they are.
        </p>
      )}
    </div>
  )
}

function PlayLinks({
  facts,
  name,
}: {
  readonly facts: PageFacts
  readonly name: { app: string; stream: string }
}) {
  const addresses = addressesOf(facts, name, location.href)
  if (addresses.length === 0) {
    return (
      <p class="hint">
        This server does not serve streams to pages: <code>{'http_remux { enabled on; }'}</code> or{' '}
        <code>{'hls { enabled on; }'}</code> in its virtual host would.
      </p>
    )
  }
  return (
    <section>
      <h2>Play it in a page</h2>
      <ul class="links">
        {addresses.map(({ protocol, url }) => (
          <li key={protocol}>
            <a href={`../players/?${new URLSearchParams({ url })}`}>{protocolNames[protocol]}</a>
            <code>{url}</code>
          </li>
        ))}
      </ul>
    </section>
  )
}
