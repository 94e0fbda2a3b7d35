import type { Config, VhostConfig } from '../../src/config/config.ts'
import { interpret } from '../../src/config/interpret.ts'
import { parse } from '../../src/config/parser.ts'
import { defaultVhost } from '../../src/config/vhost-of.ts'

/** A configuration from its text, through the real parser and schema: what is not said has its default. */
export function configOf(text = ''): Config {
  const vhosts = /\bvhost\b/.test(text) ? '' : `vhost ${defaultVhost} { }`
  return interpret(parse(`listen 1935; ${text} ${vhosts}`, 'test.conf')).config
}

/** What the section of the default virtual host says, as {@link VhostConfig}. */
export function vhostConfigOf(section = ''): VhostConfig {
  return configOf(`vhost ${defaultVhost} { ${section} }`).vhosts[defaultVhost]!
}
