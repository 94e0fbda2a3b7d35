import type { IncomingMessage, ServerResponse } from 'node:http'
import { codeOf, messageOf } from '../../base/errors.ts'
import { requestTarget } from '../request-target.ts'
import type { ApiHost } from './api-host.ts'

const plainText = 'text/plain; charset=utf-8'

/** Answers on the address of `exporter { }`: metrics, and nothing else. */
export function answerExporter(host: ApiHost, request: IncomingMessage, response: ServerResponse): void {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    send(response.setHeader('Allow', 'GET, HEAD'), 405, plainText, '405\n')
    return
  }
  if (!/^\/metrics\/?$/.test(requestTarget(request).path)) {
    send(response, 404, plainText, '404: metrics are at /metrics\n')
    return
  }
  metrics(host).then(
    ({ type, text }) => send(response, 200, type, text),
    (error: unknown) => {
      const isBusy = codeOf(error) === 'SERVER_SILENT'
      if (!isBusy) host.logger.error({ code: codeOf(error), err: error }, `exporter: ${messageOf(error)}`)
      send(response, isBusy ? 503 : 500, plainText, `${messageOf(error)}\n`)
    },
  )
}

/** The library comes with the first scrape. */
async function metrics(host: ApiHost): Promise<{ type: string; text: string }> {
  const { exporterText, metricsType } = await import('./metrics.ts')
  return { type: metricsType, text: await exporterText(host) }
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  })
  response.end(response.req.method === 'HEAD' ? undefined : text)
}
