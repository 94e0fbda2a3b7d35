/** What an origin tells about itself in its answer to connect: SRS's fields, which Weir sends too. */
import { type AmfRecord, asRecord } from '../media/amf-value.ts'

/** The id of our connection in the log of the origin; null if it tells none. */
export function connectionIdOf(information: AmfRecord | null): string | null {
  const id = asRecord(information?.get('data'))?.get('srs_id')
  if (typeof id === 'string') return id.slice(0, 64)
  return typeof id === 'number' ? String(id) : null
}
