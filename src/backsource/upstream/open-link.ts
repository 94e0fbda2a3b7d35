import type { OpenLink } from './upstream-link.ts'

/** Opens the link that an address asks for: HTTP-FLV for `http://` and `https://`, else RTMP. */
export const openLink: OpenLink = async (at, options) => {
  // What is not used is not loaded: a back-source is to stay small.
  if (at.url.startsWith('http')) return (await import('./http-flv-link.ts')).openHttpFlvLink(at, options)
  return (await import('./rtmp-link.ts')).openRtmpLink(at, options)
}
