import type { JWTPayload } from 'jose'

/** How long a token that was good is taken for good without another look at its signature, in milliseconds. */
const rememberedMs = 60_000

const maxTokens = 4096

/**
 * Tokens that were verified a moment ago. A player of HLS brings its token along with each playlist and segment, and a
 * signature costs a hundred times what a look into a map does. A key that is withdrawn counts for a minute more.
 */
export class RecentTokens {
  /** The one verified longest ago first. */
  readonly #tokens = new Map<string, { readonly claims: JWTPayload; readonly untilMs: number }>()

  /**
   * The claims of a token that was verified and is not over.
   * @param nowMs since 1970
   */
  get(token: string, nowMs: number): JWTPayload | null {
    const known = this.#tokens.get(token)
    if (known === undefined) return null
    if (nowMs < known.untilMs) return known.claims
    this.#tokens.delete(token)
    return null
  }

  /** @param nowMs since 1970 */
  add(token: string, claims: JWTPayload, nowMs: number): void {
    this.#tokens.delete(token)
    const untilMs = Math.min(nowMs + rememberedMs, (claims.exp ?? 0) * 1000)
    this.#tokens.set(token, { claims, untilMs })
    const [oldest] = this.#tokens.keys()
    if (this.#tokens.size > maxTokens && oldest !== undefined) this.#tokens.delete(oldest)
  }
}
