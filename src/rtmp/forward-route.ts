import { nodeCrypto } from '../base/node-builtins.ts'
/**
 * The way that a forwarded stream has come, so that it does not come back to where it was. A server that forwards
 * tells it in its connect command; the one that takes the stream refuses it if it had that stream before.
 */

/** The member of the connect object that has the route. Servers that do not know it leave it alone. */
export const routeField = 'weirRoute'

/** The header of HTTP that has it, where a stream is fetched so. */
export const routeHeader = 'weir-route'

/** A stream that has come over more servers goes no further: it may run in a circle that renames it. */
export const maxRouteHops = 16

/** Marks of the streams that a stream was forwarded from, the first one first; empty: an encoder sent it. */
export type ForwardRoute = readonly string[]

/** The mark of one stream on one server. It tells neither of the two to other servers. */
export function hopOf(serverId: string, stream: string): string {
  return nodeCrypto().createHash('sha256').update(`${serverId} ${stream}`).digest('base64url').slice(0, 12)
}

/** @param text what a client sent, which may be anything; what is no mark is left out */
export function parseRoute(text: string): ForwardRoute {
  return text
    .slice(0, 4096)
    .split(' ')
    .filter((hop) => /^[\w-]{12}$/.test(hop))
}

export function formatRoute(route: ForwardRoute): string {
  return route.join(' ')
}

/**
 * Whether a stream must not be taken from who forwards it.
 * @param hop the stream's own mark on this server
 */
export function isLoop(route: ForwardRoute, hop: string): boolean {
  return route.includes(hop) || route.length >= maxRouteHops
}
