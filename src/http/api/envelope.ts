import type { Static } from 'typebox'
import type { envelopeSchema } from './schema/common.ts'

/** What every answer has around its data. */
export type Envelope = Static<typeof envelopeSchema>

/** What an envelope says of the server. */
export interface ServerIdentity {
  /** `server_id` of the configuration, else made at the start. */
  readonly server: string
  readonly service: string
  readonly pid: number
}

/** Values of `code` beyond those of HTTP, with the numbers that SRS gives them. */
export const codes = {
  /** What `/api/v1/tests/errors` always answers. */
  test: 100,
  rawDisabled: 1061,
  notFound: 2048,
  clientNotFound: 2049,
} as const

/** The envelope of an answer. */
export function envelope({ server, service, pid }: ServerIdentity, code = 0): Envelope {
  return { code, server, service, pid: String(pid) }
}
