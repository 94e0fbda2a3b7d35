/**
 * What the nodes of one cluster know each other by (`cluster { secret }`): a node that asks another one for a stream has checked
 * its own players, and brings a signature of what it asks for instead of a token of theirs.
 */
import { checkSignature, signedQuery } from './signed-url.ts'

const parameter = 'weir_node'

/** How long one counts, in seconds: each request brings a new one, but the clocks of nodes may differ. */
const validSeconds = 300

/** A stream as both nodes call it: their names of the virtual host may differ. */
export interface NodeWish {
  readonly app: string
  readonly stream: string
}

/**
 * The query with which a node asks for a stream, without a `?`.
 * @param secret of the cluster; '': it has none, and neither has the query
 * @param nowSeconds since 1970
 */
export function nodeQuery(secret: string, wish: NodeWish, nowSeconds = Date.now() / 1000): string {
  if (secret === '') return ''
  const expires = Math.floor(nowSeconds) + validSeconds
  return `${parameter}=${encodeURIComponent(signedQuery(secret, { ...grantOf(wish), expires }))}`
}

/**
 * Whether a player is another node of the cluster.
 * @param param its query
 */
export function isNode(
  { param, ...wish }: NodeWish & { readonly param: string },
  secret: string,
  nowSeconds = Math.floor(Date.now() / 1000),
): boolean {
  if (secret === '' || !param.includes(parameter)) return false
  const signed = new URLSearchParams(new URLSearchParams(param).get(parameter) ?? '')
  return checkSignature([secret], grantOf(wish), signed, nowSeconds).ok
}

/** No virtual host has a colon in its name: who has a signed URL of a player has none of a node. */
function grantOf({ app, stream }: NodeWish): { action: 'play'; stream: string } {
  return { action: 'play', stream: `node:${app}/${stream}` }
}
