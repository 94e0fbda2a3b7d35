import type { TSchema } from 'typebox'
import { version } from '../../base/version.ts'
import { type Operation, type PathItem, paths } from './schema/paths.ts'

/** Where a list begins and how long its part is. */
const pageParameters = [
  {
    ...{ name: 'start', in: 'query', description: 'The first entry, counted from 0.' },
    schema: { type: 'integer', minimum: 0, default: 0 },
  },
  {
    ...{ name: 'count', in: 'query', description: 'How many entries.' },
    schema: { type: 'integer', minimum: 1, maximum: 1000, default: 10 },
  },
]

function queryParameter([name, description]: readonly [string, string]): object {
  return { name, in: 'query', description, schema: { type: 'string' } }
}

const idParameter = { name: 'id', in: 'path', required: true, schema: { type: 'string' } }

/**
 * The API as an OpenAPI document (3.1, whose schemas are JSON Schemas), made of the same table that the tests hold the
 * answers against. This module brings the schema library: it is loaded when it is asked for.
 */
export function openApi(): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Weir',
      version,
      description: 'SRS-compatible HTTP API. See docs/api.md.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    paths: Object.fromEntries(Object.entries(paths).map(([path, item]) => [path, pathItem(path, item)])),
    components: {
      securitySchemes: {
        basic: { type: 'http', scheme: 'basic' },
        bearer: { type: 'http', scheme: 'bearer' },
      },
    },
    security: [{}, { basic: [] }, { bearer: [] }],
  }
}

function pathItem(path: string, item: PathItem): object {
  const parameters = path.includes('{id}') ? { parameters: [idParameter] } : {}
  const operations = Object.entries(item).map(([method, operation]) => [method, operationOf(operation)])
  return { ...parameters, ...Object.fromEntries(operations) }
}

function operationOf(operation: Operation): object {
  const { summary, answer, type = 'application/json', paged = false, query = {}, codes = {} } = operation
  const { open = false } = operation
  const parameters = [...(paged ? pageParameters : []), ...Object.entries(query).map(queryParameter)]
  const also = Object.entries(codes).map(([code, meaning]) => `code ${code}: ${meaning}`)
  return {
    summary,
    ...(parameters.length > 0 && { parameters }),
    ...(open && { security: [{}] }),
    responses: {
      200: {
        description: ['code 0', ...also].join('; '),
        content: { [type]: { schema: answer === null ? { type: 'string' } : plain(answer) } },
      },
    },
  }
}

/** Without what the library keeps for itself. */
function plain(schema: TSchema): object {
  return JSON.parse(JSON.stringify(schema)) as object
}
