/**
 * A process that publishes an FLV file in a loop: `ingest FILE URL TITLE`. The master runs it for an ingest that needs no
 * FFmpeg; it never touches media itself.
 */
import { codeOf, messageOf } from '../../base/errors.ts'
import { publishFile } from './publish-file.ts'

const [path = '', url = '', title = ''] = process.argv.slice(2)
process.title = `weir: ingest ${title}`
const ending = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => ending.abort())

publishFile(path, url, ending.signal).catch((error: unknown) => {
  process.stderr.write(`${codeOf(error)}: ${messageOf(error)}\n`)
  process.exit(1)
})
