import { useEffect, useMemo, useState } from 'preact/hooks'
import type { PageFacts } from '../shared/facts.ts'
import { PageFrame } from '../shared/page-frame.tsx'
import { useFacts } from '../shared/use-facts.ts'
import { ApiClient, type ClientData, type StreamData } from './api-client.ts'
import { ClientsSection } from './clients-section.tsx'
import { ClusterSection } from './cluster-section.tsx'
import { ConfirmDialog, type Question } from './confirm-dialog.tsx'
import { storeAuthorization, storedAuthorization } from './credentials.ts'
import { LoginForm } from './login-form.tsx'
import { Overview } from './overview.tsx'
import { ProgramsSection } from './programs-section.tsx'
import { Rates } from './rates.ts'
import { RecordingsSection } from './recordings-section.tsx'
import { type FeedState, ServerFeed } from './server-feed.ts'
import { StreamsSection, streamTitle } from './streams-section.tsx'
import { WorkersSection } from './workers-section.tsx'

/** What the server does, as it does it. */
export function ConsolePage() {
  const { facts, problem } = useFacts()
  if (facts === null || facts.api === null) {
    return (
      <PageFrame page="console">
        <h1 class="visually-hidden">Console</h1>
        {problem !== '' && <p class="notice">{problem}</p>}
        {facts !== null && <ApiIsOff />}
      </PageFrame>
    )
  }
  return <Console facts={facts} origin={facts.api} />
}

function ApiIsOff() {
  return (
    <p class="notice">
      The console asks the API, and that is off:{' '}
      <code>{'http_api { enabled on; listen 127.0.0.1:1985; }'}</code> turns it on for this machine.
    </p>
  )
}

interface ConsoleProps {
  readonly facts: PageFacts
  readonly origin: string
}

function Console({ facts, origin }: ConsoleProps) {
  const api = useMemo(() => new ApiClient(origin, storedAuthorization()), [origin])
  const [logins, setLogins] = useState(0)
  const feed = useFeed(api, logins)
  const rates = useMemo(() => new Rates(), [api])
  const [question, setQuestion] = useState<Question | null>(null)
  const [news, setNews] = useState('')
  const [changes, setChanges] = useState(0)
  const { link, snapshot } = feed
  if (snapshot !== null) rates.add(snapshot)

  const login = (authorization: string): void => {
    api.authorization = authorization
    storeAuthorization(authorization)
    setLogins(logins + 1)
  }
  const act = async (what: string, action: () => Promise<boolean>): Promise<void> => {
    try {
      setNews((await action()) ? `${what}: done.` : `${what}: it was gone already.`)
    } catch (error) {
      setNews(`${what}: ${error instanceof Error ? error.message : 'it did not work'}.`)
    }
    setChanges((count) => count + 1)
  }
  const kick = ({ id, publish, url, ip }: ClientData): void =>
    setQuestion({
      title: publish ? 'Kick this publisher?' : 'Kick this viewer?',
      text: `${ip} ${publish ? 'publishes' : 'plays'} ${url}. Its connection is closed; it may connect again.`,
      action: 'Kick',
      onConfirm: () => act(`Kick ${id}`, () => api.kick(id)),
    })
  const unpublish = (stream: StreamData): void =>
    setQuestion({
      title: `Stop ${streamTitle(stream)}?`,
      text: 'The stream is taken from its publisher, whose connection is closed; it may connect again.',
      action: 'Stop',
      onConfirm: () => act(`Stop ${streamTitle(stream)}`, () => api.unpublish(stream.id)),
    })

  return (
    <PageFrame page="console" status={<LinkStatus link={link} />}>
      <h1 class="visually-hidden">Console</h1>
      <p class="news" role="status" data-shown={news !== ''}>
        {news}
        {news !== '' && (
          <button type="button" class="quiet" onClick={() => setNews('')}>
            Dismiss
          </button>
        )}
      </p>
      {link === 'away' && <Away origin={origin} hasBeenThere={snapshot !== null} problem={feed.problem} />}
      {link === 'login' && <LoginForm key={logins} isWrong={api.authorization !== null} onLogin={login} />}
      {link === 'connecting' && snapshot === null && <p class="hint">Connecting…</p>}
      {snapshot !== null && link !== 'login' && (
        <div class="console" data-stale={link === 'away'}>
          <Overview snapshot={snapshot} rates={rates} />
          <StreamsSection facts={facts} snapshot={snapshot} rates={rates} onUnpublish={unpublish} />
          <ClientsSection api={api} isConnected={link !== 'away'} changes={changes} onKick={kick} />
          <ProgramsSection api={api} streams={snapshot.streams} isConnected={link !== 'away'} />
          <RecordingsSection api={api} site={facts.site} isConnected={link !== 'away'} />
          <ClusterSection api={api} isConnected={link !== 'away'} />
          <WorkersSection workers={snapshot.workers} />
        </div>
      )}
      {question !== null && <ConfirmDialog question={question} onClose={() => setQuestion(null)} />}
    </PageFrame>
  )
}

/** Follows the server; anew after each login. */
function useFeed(api: ApiClient, logins: number): FeedState {
  const [state, setState] = useState<FeedState>({ link: 'connecting', snapshot: null, problem: '' })
  useEffect(() => {
    const feed = new ServerFeed(api, setState)
    feed.run()
    return () => feed.close()
  }, [api, logins])
  return state
}

const linkNames: Readonly<Record<FeedState['link'], string>> = {
  connecting: 'Connecting',
  live: 'Live',
  polling: 'Live, by asking',
  away: 'No answer',
  login: 'Locked',
}

function LinkStatus({ link }: { readonly link: FeedState['link'] }) {
  return (
    <span class="link-status" data-link={link} role="status">
      {linkNames[link]}
    </span>
  )
}

interface AwayProps {
  readonly origin: string
  readonly hasBeenThere: boolean
  readonly problem: string
}

function Away({ origin, hasBeenThere, problem }: AwayProps) {
  if (hasBeenThere) {
    return (
      <p class="notice" role="alert">
        The server is away: {problem}. What you see is its last word. Trying again…
      </p>
    )
  }
  const isElsewhere = origin !== ''
  return (
    <p class="notice" role="alert">
      The API does not answer{isElsewhere && ` at ${origin}`}. Trying again…{' '}
      {isElsewhere && (
        <>
          It may listen for its own machine alone, or not let pages of this address use it (
          <code>crossdomain</code>, <code>origins</code>): there is{' '}
          <a href={`${origin}/console/`}>a console at its own address</a>.
        </>
      )}
    </p>
  )
}
