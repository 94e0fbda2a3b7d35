/** A figure beside what it must be. */
export interface Target {
  readonly what: string
  /** null: could not be measured, as its peer is missing or it failed. */
  readonly value: number | null
  readonly relation: '<=' | '>='
  readonly limit: number
  readonly unit: string
}

/** @param unit '' for ratios and counts */
export function atMost(what: string, value: number | null, limit: number, unit = ''): Target {
  return { what, value, relation: '<=', limit, unit }
}

/** @param unit '' for ratios and counts */
export function atLeast(what: string, value: number | null, limit: number, unit = ''): Target {
  return { what, value, relation: '>=', limit, unit }
}

/** @returns null when there is no figure to judge */
export function isMet({ value, relation, limit }: Target): boolean | null {
  if (value === null) return null
  return relation === '<=' ? value <= limit : value >= limit
}

/** `yes`, `**no**`, or that it was not measured. */
export function verdict(target: Target): string {
  const met = isMet(target)
  if (met === null) return 'not measured'
  return met ? 'yes' : '**no**'
}

/** @returns null when one of them is missing */
export function ratio(figure: number | null, reference: number | null): number | null {
  return figure === null || reference === null || reference === 0 ? null : figure / reference
}

/** Three digits that matter: 0.0123, 1.23, 123, 12345. */
export function format(value: number): string {
  if (value === 0) return '0'
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  return String(Number(value.toFixed(Math.min(digits, 4))))
}

/** The figure with its unit; a dash when there is none. */
export function formatFigure(value: number | null, unit: string): string {
  return value === null ? '–' : unit === '' ? format(value) : `${format(value)} ${unit}`
}

export function formatLimit({ relation, limit, unit }: Target): string {
  return `${relation === '<=' ? '≤' : '≥'} ${formatFigure(limit, unit)}`
}
