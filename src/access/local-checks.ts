import { ownClientKind } from '../base/own-client.ts'
import { type AccessCheck, type AccessRequest, accepted } from './access-check.ts'
import { auth } from './auth.ts'
import { isNode } from './node-token.ts'
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
  return except(checks, ({ param }) => ownClientKind(param, ownToken) !== null)
}

/**
 * The same for everybody but the other nodes of the cluster, which check their players themselves.
 * @param secret of the cluster; see node-token.ts
 */
export function exceptNodes(checks: readonly AccessCheck[], secret: () => string): AccessCheck[] {
  return except(checks, (request) => request.action === 'play' && isNode(request, secret()))
}

function except(checks: readonly AccessCheck[], isKnown: (request: AccessRequest) => boolean): AccessCheck[] {
  return checks.map((check) => ({
    name: check.name,
    applies: (action, vhost) => check.applies(action, vhost),
    check: (request, vhost) => (isKnown(request) ? accepted : check.check(request, vhost)),
  }))
}
