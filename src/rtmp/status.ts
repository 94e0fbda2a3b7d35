/** The information object of onStatus and its relatives (RTMP 1.0, section 7.2.2): how an operation went. */
import { type AmfRecord, type AmfValue, amfObject, getString } from '../media/amf-value.ts'
import { type Redirect, readRedirect } from './redirect.ts'

export interface Status {
  /** `error` means that the operation failed or was ended. */
  readonly level: 'status' | 'warning' | 'error'
  /** What happened, for programs: `NetStream.Publish.Start`. */
  readonly code: string
  /** What happened, for people. */
  readonly description: string
  /** Where the server sends the client instead of serving it; absent: nowhere. */
  readonly redirect?: Redirect
}

/** Flash Media Server and SRS put one into every status; nobody reads more into it than that it is there. */
const clientId = 'weir'

export function statusObject(status: Status, details?: string): AmfRecord {
  return amfObject({
    level: status.level,
    code: status.code,
    description: status.description,
    ...(details === undefined ? {} : { details }),
    clientid: clientId,
  })
}

/** Reads an information object; what is missing or of another type becomes '' and level `status`. */
export function readStatus(value: AmfValue): Status {
  const level = getString(value, 'level')
  const redirect = readRedirect(value)
  return {
    level: level === 'error' || level === 'warning' ? level : 'status',
    code: getString(value, 'code') ?? '',
    description: getString(value, 'description') ?? '',
    ...(redirect === null ? {} : { redirect }),
  }
}
