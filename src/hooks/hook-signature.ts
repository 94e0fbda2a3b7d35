import { nodeCrypto } from '../base/node-builtins.ts'

/**
 * Headers with which a server can check who calls it and when: HMAC-SHA256 over the timestamp, a dot and the body.
 * @param nowMs milliseconds since 1970; the header has seconds
 */
export function signatureHeaders(secret: string, body: string, nowMs: number): Record<string, string> {
  const timestamp = String(Math.floor(nowMs / 1000))
  const digest = nodeCrypto().createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')
  return { 'x-weir-timestamp': timestamp, 'x-weir-signature': `sha256=${digest}` }
}
