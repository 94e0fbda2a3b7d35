import type { IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { EdgeTargets } from '../../../src/http/edge/edge-targets.ts'
import { configOf } from '../../support/config.ts'

/** The stream that a request is for, as its path tells. */
function streamAt(hls: string, url: string): string | null {
  const targets = new EdgeTargets(configOf(`vhost __defaultVhost__ { hls { ${hls} } }`), () => true)
  const stream = targets.find({ url, headers: { host: 'h' } } as IncomingMessage)?.stream
  return stream ? `${stream.app}/${stream.stream}` : null
}

test.each([
  ['', '/live/show.m3u8', 'live/show'],
  ['', '/live/show-7.ts', 'live/show'],
  ['hls_mount /mem/[app]/[stream].m3u8;', '/live/show-7.ts', 'live/show'],
  ['hls_storage ram; hls_mount /mem/[app]/[stream].m3u8;', '/mem/live/show.m3u8', 'live/show'],
  ['hls_storage ram; hls_mount /mem/[app]/[stream].m3u8;', '/mem/live/show-7.ts', 'live/show'],
  ['hls_storage both; hls_mount /[stream]/x.m3u8;', '/show/x.m3u8', '/show'],
])('with { %s } %s is of %s', (hls, url, stream) => {
  expect(streamAt(hls, url)).toBe(stream)
})
