import type { ProgramFacts } from '../../ipc/program-facts.ts'
import { streamTag } from '../../live/stream-key.ts'
import type { ProgramData } from './schema/server.ts'

/** A program as the API tells it. */
export function programData(program: ProgramFacts): ProgramData {
  const { kind, name, vhost, stream, state, pid, restarts, lastError, upMs } = program
  return {
    ...{ kind, name, vhost, stream: stream === '' ? '' : streamTag(stream), state, pid, restarts },
    ...{ last_error: lastError, uptime: upMs / 1000 },
  }
}
