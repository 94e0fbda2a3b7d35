import type { Config, VhostConfig } from './config.ts'

/** The virtual host that takes the clients whose host has no section of its own. */
export const defaultVhost = '__defaultVhost__'

/**
 * What is configured for the virtual host that a client asks for: the one of that name if it is enabled, else the
 * default one if that is enabled, else `null`. The name may be anything a client sends.
 */
export function vhostOf(config: Config, name: string): VhostConfig | null {
  const resolved = vhostNameOf(config, name)
  return resolved === null ? null : (config.vhosts[resolved] ?? null)
}

/** The name of the virtual host that {@link vhostOf} finds: part of what makes a stream the same stream. */
export function vhostNameOf(config: Config, name: string): string | null {
  if (isEnabled(config, name)) return name
  return isEnabled(config, defaultVhost) ? defaultVhost : null
}

function isEnabled(config: Config, name: string): boolean {
  // Only own keys: a client may ask for the virtual host "constructor".
  return Object.hasOwn(config.vhosts, name) && config.vhosts[name]?.enabled === true
}
