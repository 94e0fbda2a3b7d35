import type { StreamName } from './play-addresses.ts'

/** What a person types in to publish a stream. */
export interface PublishLines {
  readonly url: string
  /** OBS: the server and the stream key. */
  readonly server: string
  readonly key: string
  /** A file, sent as it is. */
  readonly ffmpegFile: string
  /** A test picture with a tone: nothing has to be at hand. */
  readonly ffmpegTest: string
  readonly ffplay: string
}

/** @param hostname of the server, as a URL has it: with brackets if it is an IPv6 address */
export function publishLines(hostname: string, rtmpPort: number, name: StreamName): PublishLines {
  const { app, stream } = name
  const server = `rtmp://${hostname}${rtmpPort === 1935 ? '' : `:${rtmpPort}`}/${app}`
  const url = `${server}/${stream}`
  const target = shellWord(url)
  const test =
    'ffmpeg -re -f lavfi -i testsrc2=size=1280x720:rate=30 -f lavfi -i sine=frequency=440:sample_rate=48000 ' +
    '-c:v libx264 -preset veryfast -tune zerolatency -pix_fmt yuv420p -g 60 -b:v 2M -c:a aac -b:a 128k ' +
    `-f flv ${target}`
  return {
    url,
    server,
    key: stream,
    ffmpegFile: `ffmpeg -re -i FILE -c copy -f flv ${target}`,
    ffmpegTest: test,
    ffplay: `ffplay ${target}`,
  }
}

/** Names that every encoder takes as they are. */
export function isPlainName(name: string): boolean {
  return /^[\w.~-]+(?:\/[\w.~-]+)*$/.test(name) && !name.split('/').some((part) => /^\.+$/.test(part))
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./~[\]-]+$/.test(text) ? text : `'${text.replaceAll(`'`, `'\\''`)}'`
}
