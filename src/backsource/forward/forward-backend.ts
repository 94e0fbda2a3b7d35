import { WeirError } from '../../base/errors.ts'

/** What a backend is told of the stream. */
export interface BackendQuestion {
  readonly serverId: string
  /** Connection id of the publisher. */
  readonly clientId: string
  readonly ip: string
  readonly vhost: string
  readonly app: string
  readonly stream: string
  readonly tcUrl: string
  readonly param: string
}

/** For the whole of one question, in milliseconds. */
const timeoutMs = 5000

/** No answer is longer. */
const maxAnswerBytes = 64 * 1024

/**
 * Asks where a stream is to be forwarded to, with SRS's question and answer: POST `{"action":"on_forward",…}`, and
 * `{"code":0,"data":{"urls":["rtmp://…"]}}`.
 * @returns RTMP URLs, as they were given
 * @throws WeirError FORWARD_BACKEND; its cause is what the network said
 */
export async function askBackend(
  url: string,
  question: BackendQuestion,
  signal: AbortSignal,
): Promise<string[]> {
  // Few servers have a backend: the others do not load it.
  const { request } = await import('undici')
  const { serverId, clientId, ip, vhost, app, tcUrl, stream, param } = question
  const asked = {
    action: 'on_forward',
    server_id: serverId,
    client_id: clientId,
    ip,
    vhost,
    app,
    tcUrl,
    stream,
    param,
  }
  const inTime = AbortSignal.timeout(timeoutMs)
  try {
    const { statusCode, body } = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(asked),
      signal: AbortSignal.any([signal, inTime]),
    })
    const text = await readAll(body)
    if (statusCode !== 200 && statusCode !== 201) throw refusal(`it answered with status ${statusCode}`)
    return urlsOf(text)
  } catch (error) {
    if (error instanceof WeirError) throw error
    if (inTime.aborted) throw refusal(`it did not answer within ${timeoutMs} ms`, error)
    throw refusal(error instanceof Error ? error.message : String(error), error)
  }
}

async function readAll(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > maxAnswerBytes) throw refusal(`its answer is longer than ${maxAnswerBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function urlsOf(text: string): string[] {
  const answer = parse(text)
  if (!isObject(answer)) throw refusal('its answer is no JSON object')
  if (answer.code !== undefined && answer.code !== 0)
    throw refusal(`it answered with code ${String(answer.code)}`)
  const urls: unknown = isObject(answer.data) ? answer.data.urls : undefined
  if (!Array.isArray(urls) || !urls.every((url) => typeof url === 'string')) {
    throw refusal('its answer has no data.urls that is a list of texts')
  }
  return urls
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refusal(message: string, cause?: unknown): WeirError {
  return new WeirError('FORWARD_BACKEND', message, cause)
}
