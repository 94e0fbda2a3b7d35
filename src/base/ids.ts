import { randomBytes } from 'node:crypto'

const alphabet = '0123456789abcdefghijklmnopqrstuvwxyz'

/**
 * A new id for a connection, a source or a server: short enough to read aloud, random enough to follow a
 * connection through the logs of several machines.
 * @param length characters; 8 make about 2.8e12 ids
 */
export function newId(length = 8): string {
  let id = ''
  for (const byte of randomBytes(length)) id += alphabet[byte % alphabet.length]
  return id
}

/** 128 bits that nobody can guess, as 32 hexadecimal digits. */
export function newSecret(): string {
  return randomBytes(16).toString('hex')
}
