import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { type PathItem, paths } from '../../src/http/api/schema/paths.ts'

/** The schema of an answer with every field that it does not name forbidden: none shall go undocumented. */
export function strict(schema: TSchema): TSchema {
  return visit(schema) as TSchema
}

function visit(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(visit)
  if (typeof value !== 'object' || value === null) return value
  const copy = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, visit(item)]))
  return 'properties' in value ? { ...copy, additionalProperties: false } : copy
}

/**
 * What is wrong with an answer.
 * @param path as in the table of paths, with `{id}`
 * @returns nothing, if it is as it is documented
 */
export function problemsOf(path: string, method: keyof PathItem, answer: unknown): string[] {
  const schema = paths[path]?.[method]?.answer
  if (!schema) return [`no answer of ${method} ${path} is documented`]
  return Compile(strict(schema))
    .Errors(answer)
    .map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`)
}
