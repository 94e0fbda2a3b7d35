/**
 * How one word of a configuration file becomes a value. Each reader answers `undefined` for a word that is not
 * written like its type; whether the value is in range is for the directive's JSON Schema to say.
 */

/** A TCP address to listen on. */
export interface Endpoint {
  /** Host name or IP address, without the brackets of IPv6; `null`: every address of the machine. */
  readonly host: string | null
  /** 0 lets the system pick a free port. */
  readonly port: number
}

/** `on` or `off`. */
export function readFlag(word: string): boolean | undefined {
  if (word === 'on') return true
  return word === 'off' ? false : undefined
}

/** A decimal integer. */
export function readInteger(word: string): number | undefined {
  return /^-?\d{1,15}$/.test(word) ? Number(word) : undefined
}

/** A decimal number, with or without a fraction. */
export function readDecimal(word: string): number | undefined {
  return /^-?\d{1,15}(\.\d{1,9})?$/.test(word) ? Number(word) : undefined
}

const sizeUnits: Record<string, number> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

/** A size in bytes: `8388608`, `8192k`, `8m`. */
export function readSize(word: string): number | undefined {
  const [, digits, unit] = /^(\d{1,12})([kmg]?)$/i.exec(word) ?? []
  const factor = sizeUnits[unit?.toLowerCase() ?? '']
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor
}

const durationUnits: Record<string, number> = { ms: 0.001, '': 1, s: 1, m: 60, h: 3600 }

/** A duration in seconds: `5`, `0.5`, `500ms`, `5s`, `2m`, `1h`. */
export function readDuration(word: string): number | undefined {
  const [, digits, unit] = /^(\d{1,9}(?:\.\d{1,9})?)(ms|[smh]?)$/.exec(word) ?? []
  const factor = durationUnits[unit ?? '']
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor
}

/** A TCP address: `1935`, `127.0.0.1:1935`, `example.com:1935`, `[::1]:1935`. */
export function readEndpoint(word: string): Endpoint | undefined {
  const [, bracketed, plain, digits] = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):)?(\d{1,5})$/.exec(word) ?? []
  const port = Number(digits)
  return digits === undefined || port > 65535 ? undefined : { host: bracketed ?? plain ?? null, port }
}
