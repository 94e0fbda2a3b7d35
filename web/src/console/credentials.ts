/** What the API asks for, kept as long as the tab is open. */
const key = 'weir-authorization'

/** The `Authorization` of this tab; null without one. */
export function storedAuthorization(): string | null {
  try {
    return sessionStorage.getItem(key)
  } catch {
    return null
  }
}

/** Keeps it for the next load of the page; null forgets it. */
export function storeAuthorization(authorization: string | null): void {
  try {
    if (authorization === null) sessionStorage.removeItem(key)
    else sessionStorage.setItem(key, authorization)
  } catch {
    // A browser that stores nothing asks again.
  }
}

/** RFC 7617, in UTF-8. */
export function basicAuthorization(username: string, password: string): string {
  const bytes = new TextEncoder().encode(`${username}:${password}`)
  return `Basic ${btoa(String.fromCharCode(...bytes))}`
}

/** RFC 6750. */
export function bearerAuthorization(token: string): string {
  return `Bearer ${token.trim()}`
}
