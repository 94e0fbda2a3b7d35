import type { PageFacts } from '../../../src/http/pages/page-contract.ts'

export type { LiveAddress, PageFacts, VhostFacts } from '../../../src/http/pages/page-contract.ts'

/**
 * Asks the server what a page has to know of it.
 * @param vhost whose streams are looked for; without it those of the host that the page is on
 * @throws Error when the server does not answer
 */
export async function loadFacts(vhost?: string): Promise<PageFacts> {
  const url = new URL('../console/server.json', document.baseURI)
  if (vhost !== undefined) url.searchParams.set('vhost', vhost)
  const response = await fetch(url, { cache: 'no-store', credentials: 'omit' })
  if (!response.ok) throw new Error(`the server answered ${response.status}`)
  return (await response.json()) as PageFacts
}
