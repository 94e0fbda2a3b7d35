import type { IncomingMessage } from 'node:http'
import type { Logger } from '../../base/logger.ts'
import type { Config } from '../../config/config.ts'
import type { Inspector } from '../inspector.ts'
import type { MachineMeter } from '../machine/machine-meter.ts'
import type { ServerIdentity } from './envelope.ts'

/** What the API needs of its worker. */
export interface ApiHost {
  readonly logger: Logger
  readonly config: Config
  readonly identity: ServerIdentity
  readonly inspector: Inspector
  readonly machine: MachineMeter
  /** The worker takes no more clients. */
  readonly leaving: boolean
  /** Somebody was refused: without the right password or token, or as a page that may not do what it asks for. */
  onDenied(request: IncomingMessage, why: 'password' | 'page'): void
}
