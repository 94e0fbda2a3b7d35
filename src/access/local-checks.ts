import { ownClientKind } from '../base/own-client.ts'
import { type AccessCheck, accepted } from './access-check.ts'
import { auth } from './auth.ts'
import { refer } from './refer.ts'
import { security } from './security.ts'

/** The checks that need nobody but this process, in the order in which they are made. */
export const localChecks: readonly AccessCheck[] = [security, refer, auth]

/**
 * The same for everybody but the programs that this server runs itself (transcode, exec, ingest): who can configure these
 * needs no further permission.
 * @param ownToken by which they are known; see base/own-client.ts
 */
export function exceptOwn(checks: readonly AccessCheck[], ownToken: string): AccessCheck[] {
  return checks.map((check) => ({
    name: check.name,
    applies: (action, vhost) => check.applies(action, vhost),
    check: (request, vhost) =>
      ownClientKind(request.param, ownToken) === null ? check.check(request, vhost) : accepted,
  }))
}
