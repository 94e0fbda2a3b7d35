import type { Config } from '../config/config.ts'

/** The global section `cluster`. */
export type ClusterSettings = Config['cluster']
