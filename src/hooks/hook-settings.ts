import type { Config, VhostConfig } from '../config/config.ts'

/** The `http_hooks` of a virtual host. */
export type HookSettings = VhostConfig['httpHooks']

/** What other servers are asked, and its answer decides. */
export type GateAction = 'on_connect' | 'on_publish' | 'on_play'

/** What other servers are told when that has ended. */
export type EndAction = 'on_close' | 'on_unpublish' | 'on_stop'

/** What they are told beside that. */
export type FileAction = 'on_dvr' | 'on_hls'

export type HookAction = GateAction | EndAction | FileAction | 'on_hls_notify'

/** What is told and has to be: by another process if this one cannot. */
export type ToldAction = EndAction | FileAction

/** The servers that are asked or told of an action, in their order. */
export function urlsOf(settings: HookSettings, action: HookAction): readonly string[] {
  switch (action) {
    case 'on_connect':
      return settings.onConnect
    case 'on_close':
      return settings.onClose
    case 'on_publish':
      return settings.onPublish
    case 'on_unpublish':
      return settings.onUnpublish
    case 'on_play':
      return settings.onPlay
    case 'on_stop':
      return settings.onStop
    case 'on_dvr':
      return settings.onDvr
    case 'on_hls':
      return settings.onHls
    default:
      return settings.onHlsNotify
  }
}

/**
 * What is configured for a virtual host now.
 * @returns null when its hooks are off, undefined when it is gone
 */
export function settingsOf(config: Config, vhost: string): HookSettings | null | undefined {
  if (!Object.hasOwn(config.vhosts, vhost)) return undefined
  const settings = config.vhosts[vhost]?.httpHooks
  return settings?.enabled ? settings : null
}

/** Whether a client is let in when a server that is asked does not answer: the last line for its gate says so. */
export function acceptsOnError({ hookOnError }: HookSettings, action: GateAction): boolean {
  return hookOnError.findLast(({ gate }) => gate === action || gate === 'all')?.action === 'accept'
}
