/** Command messages (RTMP 1.0, section 7.1.1 and 7.2): a name, a transaction id and AMF arguments. */
import { WeirError } from '../base/errors.ts'
import { type AmfValue, asNumber, asString } from '../media/amf-value.ts'
import { decodeAmf0, decodeAmf3Command } from '../media/amf0-reader.ts'
import { encodeAmf0 } from '../media/amf0-writer.ts'
import { commandChunkStream, encodeMessage } from './chunk-writer.ts'
import { amf0CommandType, amf3CommandType, type RtmpMessage } from './message.ts'

export interface Command {
  readonly name: string
  /** 0: no answer is wanted. */
  readonly transactionId: number
  /** What follows the transaction id; the first is the command object, mostly null. */
  readonly args: readonly AmfValue[]
}

/**
 * Decodes a message of type 20 (AMF0) or 17 (AMF3).
 * @throws WeirError RTMP_COMMAND when it does not begin with a name, AMF_* when its body is broken
 */
export function decodeCommand(message: RtmpMessage): Command {
  const values = message.type === amf3CommandType ? decodeAmf3Command(message.body) : decodeAmf0(message.body)
  const name = asString(values[0])
  if (name === null) throw new WeirError('RTMP_COMMAND', 'a command message does not begin with a name')
  return { name, transactionId: asNumber(values[1]) ?? 0, args: values.slice(2) }
}

/**
 * One command as chunks, always in AMF0: clients that ask for AMF3 (objectEncoding 3) take both, message by message,
 * and answering them in AMF0 is what SRS and nginx-rtmp do.
 * @param streamId message stream, 0 for the connection
 * @param args what follows the transaction id: the command object (mostly null), then the rest
 */
export function encodeCommand(streamId: number, command: Command, chunkSize: number): Buffer {
  const body = encodeAmf0(command.name, command.transactionId, ...command.args)
  const header = { chunkStreamId: commandChunkStream, type: amf0CommandType, streamId, timestamp: 0 }
  return encodeMessage(header, body, chunkSize)
}
