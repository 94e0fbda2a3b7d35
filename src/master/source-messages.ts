import { isErrorCode } from '../base/errors.ts'
import type { BackSource } from './back-source-pool.ts'
import type { SourceTable } from './source-table.ts'
import type { WorkMessage } from './worker-handle.ts'

/** Hands what a back-source says of its streams to the table of them. */
export function tellTable(table: SourceTable, backSource: BackSource, message: WorkMessage): void {
  switch (message.t) {
    case 'opened':
      table.opened(backSource, message.source)
      break
    case 'detached':
      table.detached(backSource, message.source)
      break
    case 'pull-ended':
      table.pullEnded(backSource, message.source)
      break
    case 'disconnect': {
      const code = isErrorCode(message.code) ? message.code : 'SOURCE_UNAVAILABLE'
      table.disconnect(backSource, message.source, code, message.message)
    }
  }
}
