import type { ClientRequest, IncomingMessage } from 'node:http'
import type { RequestOptions } from 'node:https'
import { messageOf, WeirError } from '../../base/errors.ts'
import { version } from '../../base/version.ts'
import { tlsOptions } from '../../config/tls-trust.ts'
import { FlvReader } from '../../media/flv/reader.ts'
import { formatRoute, routeHeader } from '../../rtmp/forward-route.ts'
import { packetOf } from '../../rtmp/session-media.ts'
import type { LinkOptions, UpstreamLink } from './upstream-link.ts'
import type { UpstreamUrl } from './upstream-url.ts'

/** Fetches a stream of another server as HTTP-FLV. @see OpenLink */
export async function openHttpFlvLink(at: UpstreamUrl, options: LinkOptions): Promise<UpstreamLink> {
  const { response, close } = await answerOf(at, options)
  const reader = new FlvReader()
  const closed = Promise.withResolvers<Error | null>()
  let bytesReceived = 0
  response.on('data', (bytes: Buffer) => {
    bytesReceived += bytes.length
    try {
      for (const { type, timestamp, body } of reader.push(bytes)) {
        const packet = packetOf({ type, timestamp, streamId: 0, body })
        if (packet !== null) options.onPacket(packet)
      }
    } catch (error) {
      response.destroy(error instanceof Error ? error : new Error(messageOf(error)))
    }
  })
  response.once('error', (error) => closed.resolve(error))
  response.once('close', () => closed.resolve(null))
  return {
    peer: { connectionId: '', serverId: '', pid: '' },
    get bytesReceived() {
      return bytesReceived
    },
    closed: closed.promise,
    close,
  }
}

type Request = (url: string, options: RequestOptions) => ClientRequest

/** A back-source that pulls nothing over HTTP, or nothing over TLS, does not load it. */
async function requestFor(url: string): Promise<Request> {
  return url.startsWith('https:') ? (await import('node:https')).request : (await import('node:http')).request
}

/** The head of the answer; its body begins to flow with the first listener. */
async function answerOf(
  { url }: UpstreamUrl,
  { signal, timeoutMs, route, trust }: LinkOptions,
): Promise<{ response: IncomingMessage; close: () => void }> {
  const [request, tls] = [await requestFor(url), await tlsOptions(trust)]
  return new Promise((resolve, reject) => {
    const headers = { 'user-agent': `weir/${version}`, [routeHeader]: formatRoute(route) }
    // An agent would keep the connection for others, and there are none.
    const asked = request(url, { ...tls, agent: false, signal, headers })
    let isConnected = false
    asked.once('socket', (socket) =>
      socket.once('connect', () => {
        isConnected = true
      }),
    )
    const timer = setTimeout(() => {
      const code = isConnected ? 'UPSTREAM_SILENT' : 'RTMP_TIMEOUT'
      asked.destroy(new WeirError(code, `no answer has come for ${timeoutMs} ms`))
    }, timeoutMs)
    // Errors after the answer are its own, and come there.
    asked.on('error', reject)
    asked.once('close', () => clearTimeout(timer))
    asked.once('response', (response) => {
      clearTimeout(timer)
      if (response.statusCode === 200) {
        resolve({ response, close: () => asked.destroy() })
        return
      }
      asked.destroy()
      reject(new WeirError('UPSTREAM_REFUSED', `it answered with status ${response.statusCode}`))
    })
    asked.end()
  })
}
