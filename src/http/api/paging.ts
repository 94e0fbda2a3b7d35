import { maxPageSize } from '../../ipc/contract.ts'

/** How many entries a list has unless the request says otherwise, as in SRS. */
const standardCount = 10

/** What is looked for is no longer than a name. */
const maxSearchLength = 255

/** A part of a list that a request asks for. */
export interface PageQuery {
  readonly start: number
  readonly count: number
}

/** Reads `?start=&count=`; what is no number, or out of range, is taken for what is nearest to it. */
export function pageQuery(query: unknown): PageQuery {
  const { start, count } = query as { start?: unknown; count?: unknown }
  return {
    start: Math.max(0, numberOf(start, 0)),
    count: Math.min(maxPageSize, Math.max(1, numberOf(count, standardCount))),
  }
}

/** Reads `?search=`: in lower case, '' when there is none. */
export function searchOf(query: unknown): string {
  const { search } = query as { search?: unknown }
  return typeof search === 'string' ? search.trim().slice(0, maxSearchLength).toLowerCase() : ''
}

function numberOf(value: unknown, standard: number): number {
  return typeof value === 'string' && /^-?\d{1,9}$/.test(value) ? Number(value) : standard
}
