import { Packr } from 'msgpackr/pack'
import type { Answer } from './contract.ts'

const packr = new Packr({ useRecords: false, variableMapSize: true, copyBuffers: true })

/**
 * An answer as it travels: by itself, so that the master passes it on as it is. A list of a thousand clients would
 * cost that one more than the process that has them.
 */
export function encodeAnswer(answer: Answer): Uint8Array {
  return packr.pack(answer)
}

/** @param encoded may be a view of a buffer that is written to again: nothing of it is kept */
export function decodeAnswer(encoded: Uint8Array): Answer {
  return packr.unpack(encoded) as Answer
}
