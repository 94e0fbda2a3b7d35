import { useEffect, useState } from 'preact/hooks'
import { PlayerView } from '../player/player-view.tsx'
import { loadFacts, type PageFacts } from '../shared/facts.ts'
import { PageFrame } from '../shared/page-frame.tsx'
import { addressesOf, type Playable, protocols, readPlayUrl } from '../shared/play-addresses.ts'
import { useFacts } from '../shared/use-facts.ts'

/** A page that plays: `?url=` says what, `?protocol=` how. */
export function PlayersPage() {
  const { facts, problem } = useFacts()
  return (
    <PageFrame page="players">
      <h1 class="visually-hidden">Player</h1>
      {problem !== '' && <p class="notice">{problem}</p>}
      {facts !== null && <Player facts={facts} />}
    </PageFrame>
  )
}

interface Playing {
  readonly text: string
  readonly playable: Playable
}

function Player({ facts }: { readonly facts: PageFacts }) {
  const [text, setText] = useState(() => parameter('url') || exampleOf(facts))
  const [playing, setPlaying] = useState<Playing | null>(null)
  const [problem, setProblem] = useState('')
  const play = async (wanted: string, protocol: string): Promise<void> => {
    const vhost = URL.parse(wanted, location.href)?.searchParams.get('vhost') ?? undefined
    // Another virtual host has other addresses.
    const own = vhost === undefined ? facts : await loadFacts(vhost).catch(() => facts)
    const playable = readPlayUrl(own, wanted, location.href)
    if (playable === null) {
      setPlaying(null)
      setProblem(
        'That is no address of a stream: give one that ends in .flv, .ts, .m3u8 or .mp4, or its RTMP URL.',
      )
      return
    }
    const asked = playable.addresses.findIndex((address) => address.protocol === protocol)
    setProblem('')
    setPlaying({ text: wanted, playable: asked < 0 ? playable : { ...playable, chosen: asked } })
  }
  useEffect(() => {
    if (parameter('url') !== '') play(parameter('url'), parameter('protocol'))
  }, [])
  const choose = (chosen: number): void => {
    if (playing === null) return
    const protocol = playing.playable.addresses[chosen]?.protocol ?? protocols[0]
    remember(playing.text, protocol)
    setPlaying({ ...playing, playable: { ...playing.playable, chosen } })
  }
  return (
    <div class="player-page">
      <form
        class="play-form"
        onSubmit={(event) => {
          event.preventDefault()
          remember(text, '')
          play(text, '')
        }}
      >
        <label for="url">Stream</label>
        <input
          id="url"
          type="text"
          inputMode="url"
          autocomplete="off"
          spellcheck={false}
          required
          value={text}
          placeholder="http://…/live/livestream.flv"
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
        <button type="submit" class="primary">
          Play
        </button>
      </form>
      {problem !== '' && (
        <p class="notice" role="alert">
          {problem}
        </p>
      )}
      {playing !== null && (
        <PlayerView
          key={playing.text}
          title={`Stream ${playing.text}`}
          addresses={playing.playable.addresses}
          chosen={playing.playable.chosen}
          onChoose={choose}
        />
      )}
      {playing === null && problem === '' && (
        <p class="hint">
          Give the address of a stream: HTTP-FLV, WS-FLV, HTTP-TS or HLS, or its RTMP URL. A stream that
          nobody publishes yet starts to play when somebody does.
        </p>
      )}
    </div>
  )
}

function parameter(name: string): string {
  return new URLSearchParams(location.search).get(name) ?? ''
}

/** Keeps what plays in the page's address, so that it can be passed on. */
function remember(url: string, protocol: string): void {
  const page = new URL(location.href)
  page.search = new URLSearchParams({ url, ...(protocol === '' ? {} : { protocol }) }).toString()
  history.replaceState(null, '', page)
}

function exampleOf(facts: PageFacts): string {
  return addressesOf(facts, { app: 'live', stream: 'livestream' }, location.href)[0]?.url ?? ''
}
