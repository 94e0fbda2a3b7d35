import { codeOf, messageOf } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { StreamId } from '../ipc/contract.ts'
import { displayName } from '../live/stream-key.ts'
import type { SourceEntry } from './source-entry.ts'
import type { Upstreams } from './upstreams.ts'

/** What has to be known of the table of streams when publishers are passed on elsewhere. */
export interface PushTable {
  readonly sources: ReadonlyMap<StreamId, SourceEntry>
  /** No server takes it: its publisher is closed. */
  endPush(entry: SourceEntry): void
}

/** Has publishers passed on to where a new configuration says. */
export async function renewPushes(table: PushTable, upstreams: Upstreams, logger: Logger): Promise<void> {
  for (const entry of [...table.sources.values()]) {
    const { publisher, stream, number: source } = entry
    if (publisher === null) continue
    try {
      const push = await upstreams.pushFor(stream)
      if (table.sources.get(stream) !== entry || entry.publisher !== publisher) continue
      if (isSame(publisher.push, push)) continue
      publisher.push = push
      if (push?.length === 0) table.endPush(entry)
      else entry.host.worker.send({ t: 'push', source, push })
    } catch (error) {
      const about = { code: codeOf(error), stream: displayName(stream) }
      logger.error(about, `push: it cannot be told where a stream goes: ${messageOf(error)}`)
    }
  }
}

/** Whether two lists have the same servers; their order changes all the time. */
function isSame(one: readonly string[] | null, other: readonly string[] | null): boolean {
  if (one === null || other === null) return one === other
  return [...one].sort().join(' ') === [...other].sort().join(' ')
}
