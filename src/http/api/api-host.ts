import type { Logger } from '../../base/logger.ts'
import type { Inspector } from '../inspector.ts'
import type { ServerIdentity } from './envelope.ts'

/** What the API needs of its worker. */
export interface ApiHost {
  readonly logger: Logger
  readonly identity: ServerIdentity
  readonly inspector: Inspector
}
