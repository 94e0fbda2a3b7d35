import type { IncomingMessage } from 'node:http'
import { defaultVhost } from '../config/vhost-of.ts'

/** What a request asks for. */
export interface RequestTarget {
  /** In lower case, without port and without the brackets of an IPv6 address; '' when the client names none. */
  readonly host: string
  /** Percent-encoded, with its leading slash. */
  readonly path: string
  readonly query: URLSearchParams
}

const noQuery = new URLSearchParams()

/** Takes the Host header and the request line apart (RFC 9112, 3.2). Never throws. */
export function requestTarget({ url = '/', headers }: IncomingMessage): RequestTarget {
  const [, ofUrl, rest = '/'] = /^(?:https?:\/\/([^/?]*))?(.*)$/is.exec(url) ?? []
  const at = rest.indexOf('?')
  const path = at < 0 ? rest : rest.slice(0, at)
  return {
    host: hostName(ofUrl ?? headers.host ?? ''),
    path: path === '' ? '/' : path,
    query: at < 0 ? noQuery : new URLSearchParams(rest.slice(at + 1)),
  }
}

/** The query as it was sent, with its `?`; '' without one. */
export function searchOf({ url = '' }: IncomingMessage): string {
  const at = url.indexOf('?')
  return at < 0 ? '' : url.slice(at)
}

/**
 * The URL of what a request asks for at another server. The virtual host is no longer the name in the URL: the query says it.
 * @param server `http://192.0.2.1:8080`
 */
export function urlAt(server: string, request: IncomingMessage, vhost: string): string {
  const { path, query } = requestTarget(request)
  const search = searchOf(request)
  if (vhost === defaultVhost || query.has('vhost')) return `${server}${path}${search}`
  return `${server}${path}${search === '' ? '?' : `${search}&`}vhost=${encodeURIComponent(vhost)}`
}

/** The token of `Authorization: Bearer`, as a field of an access request; none without one. */
export function bearerOf({ headers }: IncomingMessage): { bearer?: string } {
  const token = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
  return token === undefined ? {} : { bearer: token }
}

/** The name or address in `host:port`: in lower case, without the port and without brackets. */
export function hostName(host: string): string {
  const [, bracketed, plain] = /^(?:\[([0-9a-f:.]+)\]|([^:]*))(?::\d*)?$/i.exec(host) ?? []
  return (bracketed ?? plain ?? '').toLowerCase()
}
