/**
 * Signed URLs: what a client may do with a stream, and until when, in the query of its URL, with a signature that only
 * who knows the secret can make.
 *
 *     expires=1767225600&signature=BASE64URL(HMAC-SHA256(secret, "play\nVHOST/APP/STREAM\n1767225600"))
 *
 * No name has a line break in it, so that no two messages are the same bytes.
 */
import { nodeCrypto } from '../base/node-builtins.ts'
import { accepted, type Refused, type Verdict } from './access-check.ts'

/** What is signed. */
export interface Grant {
  readonly action: 'publish' | 'play'
  /** `vhost/app/stream`; the virtual host as it is configured (`__defaultVhost__`). */
  readonly stream: string
  /** Seconds since 1970. */
  readonly expires: number
}

/** The parameters of a query that carry a signature. */
export const signatureParameters = ['expires', 'signature'] as const

/** A query that lets a client do that, without a `?`. */
export function signedQuery(secret: string, grant: Grant): string {
  return `expires=${grant.expires}&signature=${signatureOf(secret, grant).toString('base64url')}`
}

/**
 * @param secrets any of which may have signed
 * @param query of the client
 * @param nowSeconds since 1970
 */
export function checkSignature(
  secrets: readonly string[],
  wish: Omit<Grant, 'expires'>,
  query: URLSearchParams,
  nowSeconds: number,
): Verdict {
  const [expires = '', signature = ''] = signatureParameters.map((name) => query.get(name) ?? '')
  // Node's decoder passes over what is no base64: there shall be one way to write a signature.
  if (!/^\d{1,12}$/.test(expires) || !/^[A-Za-z0-9_-]{43}$/.test(signature)) return forged
  const given = Buffer.from(signature, 'base64url')
  const grant = { ...wish, expires: Number(expires) }
  if (String(grant.expires) !== expires) return forged
  // All secrets, whichever it is: how long it takes tells nothing.
  const isGood = secrets
    .map((secret) => nodeCrypto().timingSafeEqual(signatureOf(secret, grant), given))
    .includes(true)
  if (!isGood) return forged
  return nowSeconds < grant.expires ? accepted : expired
}

const forged: Refused = {
  ok: false,
  code: 'TOKEN_INVALID',
  message: 'the signature is not one for this stream, action and time',
}
const expired: Refused = { ok: false, code: 'TOKEN_EXPIRED', message: 'the signed URL has expired' }

function signatureOf(secret: string, { action, stream, expires }: Grant): Buffer {
  return nodeCrypto().createHmac('sha256', secret).update(`${action}\n${stream}\n${expires}`).digest()
}
