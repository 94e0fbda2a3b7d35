/** Recordings. */
import Type, { type Static } from 'typebox'
import { answerOf, bytes, count } from './common.ts'

export const recordingSchema = Type.Object({
  vhost: Type.String(),
  app: Type.String(),
  stream: Type.String(),
  file: Type.String({ description: 'Absolute path; of one that is being written, what it will be called.' }),
  url: Type.Union([Type.String(), Type.Null()], {
    description: 'Path at which http_server has it; null: it has not, or it is not finished.',
  }),
  state: Type.Union([Type.Literal('finished'), Type.Literal('recording'), Type.Literal('left')], {
    description: 'left: its process is gone, and nobody has finished it yet.',
  }),
  bytes: bytes('Of the file.'),
  duration: Type.Number({ minimum: 0, description: 'Seconds.' }),
  started: Type.Integer({ description: 'Milliseconds since 1970.' }),
  video: Type.Union([Type.String(), Type.Null()], { description: 'Codec.' }),
  audio: Type.Union([Type.String(), Type.Null()], { description: 'Codec.' }),
})

export const recordingsAnswer = answerOf({
  recordings: Type.Array(recordingSchema, { description: 'The newest first.' }),
  total: count('Length of the whole list.'),
  complete: Type.Boolean({ description: 'False: there are more files than are looked at (20,000).' }),
})

export type RecordingData = Static<typeof recordingSchema>
