import { CopyField } from './copy-field.tsx'
import type { PageFacts } from './facts.ts'
import type { StreamName } from './play-addresses.ts'
import { publishLines } from './publish-lines.ts'

interface PublishGuideProps {
  readonly facts: PageFacts
  readonly name: StreamName
}

/** What to type into OBS and ffmpeg to publish a stream here. */
export function PublishGuide({ facts, name }: PublishGuideProps) {
  const lines = publishLines(location.hostname, facts.rtmpPort, name)
  return (
    <>
      <section>
        <h2>OBS Studio</h2>
        <p>
          <i>Settings, Stream</i>, service <i>Custom…</i>:
        </p>
        <CopyField label="Server" text={lines.server} />
        <CopyField label="Stream key" text={lines.key} />
      </section>
      <section>
        <h2>ffmpeg</h2>
        <CopyField label="A test picture" text={lines.ffmpegTest} />
        <CopyField label="A file" text={lines.ffmpegFile} />
      </section>
      <section>
        <h2>Play it outside of a page</h2>
        <CopyField label="ffplay" text={lines.ffplay} />
        <CopyField label="VLC, mpv" text={lines.url} />
      </section>
    </>
  )
}
