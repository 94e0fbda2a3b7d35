/** Rules for the names that clients choose: virtual host, application and stream. */
import { WeirError } from '../base/errors.ts'

/** What a name names; it opens the message of the error. */
export type NameKind = 'vhost' | 'app' | 'stream'

/** Longest name in bytes of UTF-8: the longest file name of Linux's file systems. */
export const maxNameBytes = 255

/** C0, DEL and C1 control characters (NUL among them), and the backslash. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const forbidden = /[\u0000-\u001f\u007f-\u009f\\]/

/** A container that Flash and FFmpeg put before a stream's name: `mp4:movie`, `flv:live`. */
const containerPrefix = /^(?:mp4|flv|mp3):/

/**
 * Checks one name, after percent-decoding. Names become parts of file paths, so no name may leave its directory or be a
 * second spelling of another: each segment between slashes has at least one character and is neither `.` nor
 * `..`, which also refuses an absolute path. A container prefix does not hide a segment from that.
 * @returns the name itself
 * @throws WeirError RTMP_NAME
 */
export function checkName(kind: NameKind, name: string): string {
  if (name === '') throw new WeirError('RTMP_NAME', `${kind} name is empty`)
  if (Buffer.byteLength(name) > maxNameBytes) {
    throw new WeirError('RTMP_NAME', `${kind} name is longer than ${maxNameBytes} bytes`)
  }
  if (forbidden.test(name)) {
    throw new WeirError('RTMP_NAME', `${kind} name ${JSON.stringify(name)} has a forbidden character`)
  }
  for (const segment of name.replace(containerPrefix, '').split('/')) {
    if (segment === '' || segment === '.' || segment === '..') {
      throw new WeirError('RTMP_NAME', `${kind} name ${JSON.stringify(name)} has a forbidden path segment`)
    }
  }
  return name
}

/**
 * Percent-decodes a name, exactly once.
 * @throws WeirError RTMP_NAME when a `%` is not followed by two hexadecimal digits or the bytes are not UTF-8
 */
export function decodeName(kind: NameKind, encoded: string): string {
  try {
    return decodeURIComponent(encoded)
  } catch (error) {
    throw new WeirError(
      'RTMP_NAME',
      `${kind} name ${JSON.stringify(encoded)} is badly percent-encoded`,
      error,
    )
  }
}
