/** What a recording says of itself, in its head. */
export interface RecordingFacts {
  readonly vhost: string
  readonly app: string
  readonly stream: string
  /** When it was begun, in milliseconds since 1970. */
  readonly startedAtMs: number
  /** 0 as long as it is written. */
  readonly durationMs: number
  /** Codecs, as `codecName` has them; null: there is no such track, or none has shown itself yet. */
  readonly video: string | null
  readonly audio: string | null
}

/** By this a file is known for a recording of Weir's. */
const recorder = 'Weir'

/** {@link RecordingFacts} by the names that they are written under: in FLV as metadata, in MP4 as JSON. */
export function namedFacts(facts: RecordingFacts): Record<string, string | number> {
  const { vhost, app, stream, startedAtMs, durationMs, video, audio } = facts
  return {
    duration: durationMs / 1000,
    ...{ recorder, vhost, app, stream, started: startedAtMs, video: video ?? '', audio: audio ?? '' },
  }
}

/** The names of {@link namedFacts}. */
export const factNames: readonly string[] = [
  ...['duration', 'recorder', 'vhost', 'app', 'stream', 'started', 'video', 'audio'],
]

/**
 * Reads what {@link namedFacts} gave.
 * @param value what stands under a name
 * @returns null: it is no recording of ours
 */
export function readFacts(value: (name: string) => unknown): RecordingFacts | null {
  const text = (name: string): string | null => {
    const found = value(name)
    return typeof found === 'string' ? found : null
  }
  const number = (name: string): number | null => {
    const found = value(name)
    return typeof found === 'number' && Number.isFinite(found) ? found : null
  }
  const [vhost, app, stream] = [text('vhost'), text('app'), text('stream')]
  const [startedAtMs, seconds] = [number('started'), number('duration')]
  if (text('recorder') !== recorder || vhost === null || app === null || stream === null) return null
  if (startedAtMs === null || seconds === null) return null
  const durationMs = Math.max(0, Math.round(seconds * 1000))
  return {
    vhost,
    app,
    stream,
    startedAtMs,
    durationMs,
    video: text('video') || null,
    audio: text('audio') || null,
  }
}
