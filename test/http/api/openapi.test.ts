import { expect, test } from 'vitest'
import { startApi } from './fake-host.ts'

interface Document {
  readonly openapi: string
  readonly paths: Record<string, Record<string, { summary?: string; responses?: Record<string, unknown> }>>
}

test('the OpenAPI document has every path with the schemas that its answers are held against', async () => {
  const { request } = await startApi()
  const document = (await (await request('/api/v1/openapi.json')).json()) as Document
  expect(document.openapi).toBe('3.1.0')
  expect(document.paths['/api/v1/streams']).toMatchObject({
    get: {
      parameters: [{ name: 'start' }, { name: 'count' }],
      responses: {
        200: {
          content: {
            'application/json': {
              schema: {
                type: 'object',
                properties: { code: { type: 'integer' }, streams: { type: 'array' } },
              },
            },
          },
        },
      },
    },
  })
  expect(document.paths['/api/v1/clients/{id}']).toMatchObject({
    parameters: [{ name: 'id', in: 'path', required: true }],
    delete: { responses: { 200: { description: expect.stringContaining('2049') } } },
  })
})

test('every path that the index lists is in the document', async () => {
  const { request } = await startApi()
  const { urls, tests } = (await (await request('/api/v1')).json()) as Record<string, Record<string, string>>
  const { paths } = (await (await request('/api/v1/openapi.json')).json()) as Document
  const listed = [
    ...Object.keys(urls!).map((name) => `/api/v1/${name}`),
    ...Object.keys(tests!).map((name) => `/api/v1/tests/${name}`),
  ]
  const undocumented = ['/api/v1/openapi.json', '/api/v1/tests/redirects']
  expect(listed.filter((path) => paths[path] === undefined)).toEqual(undocumented)
})
