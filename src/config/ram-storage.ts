import { join, resolve } from 'node:path'
import type { Config, VhostConfig } from './config.ts'

/** Whether a virtual host's HLS is in memory alone (`hls_storage ram`). */
export function isHlsInRam({ enabled, hls }: VhostConfig): boolean {
  return enabled && hls.enabled && hls.hlsStorage === 'ram'
}

/** Whether any virtual host has something in memory alone. */
export function wantsRam({ vhosts }: Config): boolean {
  return Object.values(vhosts).some(isHlsInRam)
}

/**
 * A configuration with everything that is in memory alone below a directory in memory: each virtual host has one of its
 * own there, for the names that it gives are not to be those of another one. What has left the playlist is always
 * deleted there. Keys go along where they would be beside the segments.
 * @param dir absolute path
 */
export function withRam(config: Config, dir: string): Config {
  const vhosts = Object.entries(config.vhosts).map(([name, vhost]) => {
    // No name of a virtual host leaves the directory so.
    const own = join(dir, `vhost-${encodeURIComponent(name)}`)
    return [name, isHlsInRam(vhost) ? { ...vhost, hls: hlsIn(own, vhost.hls) } : vhost] as const
  })
  return { ...config, vhosts: Object.fromEntries(vhosts) }
}

function hlsIn(dir: string, hls: VhostConfig['hls']): VhostConfig['hls'] {
  const isWithKeys = resolve(hls.hlsKeyFilePath) === resolve(hls.hlsPath)
  const hlsKeyFilePath = isWithKeys ? dir : hls.hlsKeyFilePath
  return { ...hls, hlsPath: dir, hlsKeyFilePath, hlsCleanup: true }
}

/**
 * Whether playlists in memory can be had by anybody.
 * @returns a warning, or null
 */
export function ramWarning(config: Config): string | null {
  if (!wantsRam(config) || config.httpServer.enabled) return null
  return 'hls_storage ram keeps segments where http_server alone finds them, and that is off: set http_server { enabled on; }'
}
