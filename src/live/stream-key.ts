import { nodeCrypto } from '../base/node-builtins.ts'
import { defaultVhost } from '../config/vhost-of.ts'

/** Tags that were made before: a thousand clients of one stream ask for the same. */
const tags = new Map<string, string>()
const maxKnownTags = 4096

/** What makes a stream the same stream: the virtual host after resolution, the application, the name. */
export interface StreamKey {
  readonly vhost: string
  readonly app: string
  readonly stream: string
}

/**
 * The key as one string, `vhost/app/stream`. Applications may hold slashes, virtual hosts and the last part of
 * a stream name may not, so that two different keys could only meet when an app and a stream name together
 * are the same path: then they are the same path in HLS and DVR files too.
 */
export function streamId(key: StreamKey): string {
  return `${key.vhost}/${key.app}/${key.stream}`
}

/** The parts of an id; what slashes are between its vhost and its last part is the application's. */
export function splitStreamId(id: string): StreamKey {
  const [first, last] = [id.indexOf('/'), id.lastIndexOf('/')]
  return { vhost: id.slice(0, first), app: id.slice(first + 1, last), stream: id.slice(last + 1) }
}

/** The stream as operators write it: without the default virtual host. */
export function displayName(id: string): string {
  return id.startsWith(`${defaultVhost}/`) ? id.slice(defaultVhost.length + 1) : id
}

/**
 * A short name of a stream for URLs, which every process makes alike: SRS's `vid-` and ten characters. That two of a
 * million streams have the same one is less probable than one in a thousand.
 */
export function streamTag(id: string): string {
  const known = tags.get(id)
  if (known !== undefined) return known
  if (tags.size >= maxKnownTags) tags.clear()
  const tag = newTag(id)
  tags.set(id, tag)
  return tag
}

function newTag(id: string): string {
  const digest = nodeCrypto().createHash('sha256').update(id).digest()
  return `vid-${digest.readBigUInt64BE().toString(36).padStart(13, '0').slice(-10)}`
}

/** The virtual host of a stream id. */
export function vhostOfStream(id: string): string {
  const slash = id.indexOf('/')
  return slash < 0 ? id : id.slice(0, slash)
}
