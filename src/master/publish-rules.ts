import type { ErrorCode } from '../base/errors.ts'
import type { Config } from '../config/config.ts'
import { vhostOf } from '../config/vhost-of.ts'
import type { StreamId } from '../ipc/contract.ts'
import { displayName, vhostOfStream } from '../live/stream-key.ts'
import type { PublisherEntry, PublishMessage, SourceEntry, Wish } from './source-entry.ts'

/** Who publishes a stream and may not be replaced by this publish. */
export function holderAgainst(
  config: Config,
  { publisher, stream }: SourceEntry,
  { ip }: PublishMessage,
): PublisherEntry | null {
  const policy = vhostOf(config, vhostOfStream(stream))?.publish.policy ?? 'reject'
  const mayReplace = policy === 'replace' || (policy === 'resume' && publisher?.ip === ip)
  return mayReplace ? null : publisher
}

/**
 * Why a publish is not to be granted; null: nothing is in its way.
 * @param sources all that there are
 */
export function refusalOf(
  config: Config,
  sources: ReadonlyMap<StreamId, SourceEntry>,
  { message, push }: Wish,
): { readonly code: ErrorCode; readonly message: string } | null {
  const { stream } = message
  if (vhostOf(config, vhostOfStream(stream)) === null) {
    return { code: 'VHOST_UNKNOWN', message: `no vhost ${vhostOfStream(stream)}` }
  }
  const known = sources.get(stream)
  const holder = known === undefined ? null : holderAgainst(config, known, message)
  if (holder !== null) {
    const who = `connection ${holder.connectionId} from ${holder.ip}`
    return { code: 'STREAM_BUSY', message: `${displayName(stream)} is published by ${who}` }
  }
  if (known === undefined && sources.size >= config.maxSources) {
    return { code: 'SOURCE_LIMIT', message: `max_sources ${config.maxSources} is reached` }
  }
  return push?.length === 0 ? { code: 'PUSH_LOST', message: 'no origin of this edge takes streams' } : null
}
