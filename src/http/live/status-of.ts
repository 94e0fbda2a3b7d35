import { codeOf } from '../../base/errors.ts'

/** The HTTP status that says why a viewer does not get its stream; what is not in the table is a bug here: 500. */
const statuses: Readonly<Record<string, number>> = {
  HTTP_REQUEST: 400,
  RTMP_NAME: 400,
  VHOST_UNKNOWN: 403,
  ACCESS_FAILED: 403,
  ADDRESS_DENIED: 403,
  PAGE_DENIED: 403,
  TOKEN_MISSING: 401,
  TOKEN_EXPIRED: 401,
  TOKEN_INVALID: 401,
  TOKEN_KEYS: 503,
  TRAVERSE_REFUSED: 403,
  TRAVERSE_FAILED: 503,
  ADDRESS_LIMIT: 503,
  HOOK_REFUSED: 403,
  HOOK_FAILED: 403,
  STREAM_ABSENT: 404,
  CONNECTION_LIMIT: 503,
}

/** The status of an error: its code decides. */
export function statusOf(error: unknown): number {
  return statuses[codeOf(error)] ?? 500
}
