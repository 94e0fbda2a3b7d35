/**
 * The JSON Schemas of the API's answers. The types of what handlers answer are made of them, the OpenAPI document
 * shows them, and tests hold every answer against them. Workers import types of them only; the schema library is
 * loaded when somebody asks for the document.
 */
import Type, { type TProperties } from 'typebox'

/** What every answer has around its data, as SRS 6 has it. */
export const envelopeSchema = Type.Object(
  {
    code: Type.Integer({ description: '0: it worked; else what went wrong.' }),
    server: Type.String({ description: 'The server, the same as long as it runs, over all its processes.' }),
    service: Type.String({ description: 'This run of the server.' }),
    pid: Type.String({ description: 'Process id of the master.' }),
  },
  { $id: 'Envelope' },
)

/** An answer with these fields beside the envelope. */
export function answerOf<P extends TProperties>(properties: P) {
  return Type.Object({ ...envelopeSchema.properties, ...properties })
}

/** An answer whose content is under `data`. */
export function dataOf<P extends TProperties>(properties: P) {
  return answerOf({ data: Type.Object(properties) })
}

/** Rates of the last half minute. */
export const kbpsSchema = Type.Object({
  recv_30s: Type.Integer({ description: 'kbit/s that came in.' }),
  send_30s: Type.Integer({ description: 'kbit/s that went out.' }),
})

/** How many players there are of each protocol. */
export const protocolsSchema = Type.Record(Type.String(), Type.Integer(), {
  description: 'Players by protocol: rtmp, http-flv, ws-flv, http-ts and so on.',
})

export const bytes = (description: string) => Type.Integer({ minimum: 0, description })
export const count = (description: string) => Type.Integer({ minimum: 0, description })
export const share = (description: string) => Type.Number({ minimum: 0, description })
