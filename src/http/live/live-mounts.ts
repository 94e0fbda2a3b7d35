import { WeirError } from '../../base/errors.ts'
import type { Config, VhostConfig } from '../../config/config.ts'
import { vhostNameOf, vhostOf } from '../../config/vhost-of.ts'
import type { StreamId } from '../../ipc/contract.ts'
import { streamId } from '../../live/stream-key.ts'
import { checkName, decodeName } from '../../rtmp/names.ts'
import { type LiveKind, liveKinds } from './live-formats.ts'

/** A live stream that a request names. */
export interface LiveTarget {
  readonly stream: StreamId
  readonly vhost: VhostConfig
  readonly kind: LiveKind
}

/** A mount of `http_remux`, ready to compare with requests. */
interface Mount {
  /** Virtual host whose streams these are. */
  readonly vhost: string
  /** The host that a request must name; null: any that leads to the virtual host. */
  readonly host: string | null
  readonly path: RegExp
  readonly kind: LiveKind
}

const ending = new RegExp(`\\.(${liveKinds.join('|')})$`)

/**
 * Where live streams appear over HTTP. A mount is a host and a path with `[vhost]`, `[app]` and `[stream]` in it;
 * its ending says the format. `[vhost]` as the host, or none, is any host that leads to the virtual host.
 */
export class LiveMounts {
  readonly #config: Config
  readonly #mounts: readonly Mount[]
  /** Mounts that no request could match, as they are written. */
  readonly unusable: readonly string[]

  constructor(config: Config) {
    this.#config = config
    const unusable: string[] = []
    this.#mounts = Object.entries(config.vhosts)
      .filter(([, { enabled, httpRemux }]) => enabled && httpRemux.enabled)
      .flatMap(([name, { httpRemux }]) =>
        httpRemux.mount.flatMap((template) => {
          const mount = compile(name, template)
          if (mount === null) unusable.push(template)
          return mount ?? []
        }),
      )
    this.unusable = unusable
  }

  /**
   * The live stream that a request is for.
   * @param host of the request, in lower case and without port
   * @param path percent-encoded, without query
   * @param query may name another virtual host: `vhost=V`
   * @returns null when it is not for a live stream
   * @throws WeirError RTMP_NAME when it names one by a name that there cannot be, VHOST_UNKNOWN when it asks for a
   *   virtual host that is not served
   */
  find(host: string, path: string, query: URLSearchParams): LiveTarget | null {
    if (!ending.test(path)) return null
    const asked = query.get('vhost')
    const name = vhostNameOf(this.#config, asked || host)
    if (asked && name === null) throw new WeirError('VHOST_UNKNOWN', `no vhost ${asked}`)
    for (const mount of this.#mounts) {
      if (mount.host === null ? mount.vhost !== name : mount.host !== host) continue
      const groups = mount.path.exec(path)?.groups
      if (groups === undefined) continue
      const vhost = vhostOf(this.#config, mount.vhost)
      if (vhost === null) continue
      const app = checkName('app', decodeName('app', groups.app ?? ''))
      const stream = checkName('stream', decodeName('stream', groups.stream ?? ''))
      return { stream: streamId({ vhost: mount.vhost, app, stream }), vhost, kind: mount.kind }
    }
    return null
  }
}

function compile(vhost: string, template: string): Mount | null {
  const slash = template.indexOf('/')
  const kind = ending.exec(template)?.[1]
  const isWhole = slash >= 0 && ['[app]', '[stream]'].every((name) => template.split(name).length === 2)
  if (!isWhole || kind === undefined) return null
  const host = template.slice(0, slash)
  const path = template
    .slice(slash)
    .split(/(\[(?:vhost|app|stream)\])/)
    .map((part) => {
      if (part === '[app]') return '(?<app>.+)'
      if (part === '[stream]') return '(?<stream>[^/]+)'
      return RegExp.escape(part === '[vhost]' ? vhost : part)
    })
  return {
    vhost,
    host: host === '' || host === '[vhost]' ? null : host.toLowerCase(),
    path: new RegExp(`^${path.join('')}$`),
    kind: kind as LiveKind,
  }
}
