/**
 * The types of a configuration. They are inferred from the schema's declarations, and this file has nothing but
 * types: a worker process that imports it loads no schema library.
 */
import type { ValueOf } from './schema/declare.ts'
import type { configuration } from './schema/global.ts'

export type { Endpoint } from './schema/values.ts'

/**
 * A configuration: plain data with every directive's value or default, under the camelCase of its name and in the
 * place where the newest SRS has it. Numbers have the unit of their directive (docs/configuration.md).
 */
export type Config = Immutable<ValueOf<typeof configuration>>

/** What is configured for one virtual host. */
export type VhostConfig = Config['vhosts'][string]

type Immutable<T> = T extends object ? { readonly [K in keyof T]: Immutable<T[K]> } : T
