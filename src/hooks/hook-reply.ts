/** What a server says to a callback. */
export type HookReply =
  | { readonly means: 'yes' }
  /** It was understood, and does not want it. */
  | { readonly means: 'no'; readonly why: string }
  /** It is no answer to the question. */
  | { readonly means: 'error'; readonly why: string }

const yes: HookReply = { means: 'yes' }

/**
 * Reads an answer to a callback: 200 or 201 with a body that is exactly `0`, or a JSON object with `code` 0, is yes.
 * Another code, and the statuses 401 and 403, are no; whatever else comes is a failure of the server.
 */
export function readReply(status: number, body: string): HookReply {
  if (status === 401 || status === 403) return { means: 'no', why: `answers ${status}` }
  if (status !== 200 && status !== 201) return { means: 'error', why: `answers ${status}` }
  if (body === '0') return yes
  const code = codeIn(body)
  if (code === undefined) return { means: 'error', why: 'answers neither 0 nor an object with a code' }
  return code === 0 ? yes : { means: 'no', why: `answers code ${JSON.stringify(code).slice(0, 40)}` }
}

/** The code of an object, or what has been written in its place: a number. */
function codeIn(body: string): unknown {
  try {
    const value: unknown = JSON.parse(body)
    if (typeof value === 'object' && value !== null) return 'code' in value ? value.code : undefined
    return typeof value === 'number' && value !== 0 ? value : undefined
  } catch {
    return undefined
  }
}
