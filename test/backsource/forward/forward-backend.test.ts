import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { askBackend } from '../../../src/backsource/forward/forward-backend.ts'

const question = {
  ...{ serverId: 's1', clientId: 'c1', ip: '10.0.0.1', vhost: '__defaultVhost__', app: 'live', stream: 'x' },
  ...{ tcUrl: 'rtmp://h/live', param: '?t=1' },
}

async function backend(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/forward?key=1`
}

const never = new AbortController().signal

describe('a backend', () => {
  test('is asked as SRS asks, and names URLs', async () => {
    const asked: unknown[] = []
    const url = await backend(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      asked.push([
        request.method,
        request.url,
        request.headers['content-type'],
        JSON.parse(Buffer.concat(chunks).toString()),
      ])
      response.end(JSON.stringify({ code: 0, data: { urls: ['rtmp://a/b/c', 'rtmp://d/e/f'] } }))
    })
    expect(await askBackend(url, question, never)).toStrictEqual(['rtmp://a/b/c', 'rtmp://d/e/f'])
    expect(asked).toStrictEqual([
      [
        ...['POST', '/api/v1/forward?key=1', 'application/json'],
        {
          ...{
            action: 'on_forward',
            server_id: 's1',
            client_id: 'c1',
            ip: '10.0.0.1',
            vhost: '__defaultVhost__',
          },
          ...{ app: 'live', stream: 'x', tcUrl: 'rtmp://h/live', param: '?t=1' },
        },
      ],
    ])
  })

  test.each<[string, number, string, string]>([
    ['a failure', 500, '{"code":0,"data":{"urls":[]}}', 'status 500'],
    ['a redirect', 302, '', 'status 302'],
    ['another code', 200, '{"code":1}', 'code 1'],
    ['no JSON', 200, 'hello', 'no JSON object'],
    ['a list', 200, '[]', 'no JSON object'],
    ['no URLs', 200, '{"code":0}', 'no data.urls'],
    ['URLs that are none', 200, '{"code":0,"data":{"urls":[1]}}', 'no data.urls'],
    ['too much', 200, 'x'.repeat(100_000), 'longer than'],
  ])('that answers with %s', async (_, status, text, message) => {
    const url = await backend((_request, response) => response.writeHead(status).end(text))
    await expect(askBackend(url, question, never)).rejects.toMatchObject({
      code: 'FORWARD_BACKEND',
      message: expect.stringContaining(message),
    })
  })

  test('that does not answer is not waited for when the stream ends', async () => {
    const end = new AbortController()
    const url = await backend(() => end.abort())
    await expect(askBackend(url, question, end.signal)).rejects.toMatchObject({ code: 'FORWARD_BACKEND' })
  })

  test('that is not there', async () => {
    await expect(askBackend('http://127.0.0.1:1/', question, never)).rejects.toMatchObject({
      code: 'FORWARD_BACKEND',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })
})
