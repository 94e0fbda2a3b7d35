/** A file that a request is for; whether it is there is not known. */
export interface FileTarget {
  /** Absolute path of the directory that is served. */
  readonly root: string
  /** Path below it, decoded, with its leading slash. */
  readonly path: string
}

/** C0 and DEL, and the backslash: no file of ours has them, and other systems read the last one as a slash. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const forbidden = /[\u0000-\u001f\u007f\\]/

/** The path as text, or null if no file can have it. */
export function decodePath(encoded: string): string | null {
  let path: string
  try {
    path = decodeURIComponent(encoded)
  } catch (error) {
    if (error instanceof URIError) return null
    throw error
  }
  return isPlainPath(path) ? path : null
}

/** Whether a path stays below where it begins, with no segment that is empty or hidden. */
export function isPlainPath(path: string): boolean {
  if (!path.startsWith('/') || forbidden.test(path)) return false
  const segments = path.split('/').slice(1)
  return segments.every((segment, index) => {
    const isLast = index === segments.length - 1
    return segment === '' ? isLast : !segment.startsWith('.')
  })
}
