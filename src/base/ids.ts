import { closeSync, openSync, readSync } from 'node:fs'
import { nodeCrypto } from './node-builtins.ts'

const alphabet = '0123456789abcdefghijklmnopqrstuvwxyz'

/**
 * A new id for a connection, a source or a server: short enough to read aloud, random enough to follow a
 * connection through the logs of several machines. It names, and keeps no secret.
 * @param length characters; 8 make about 2.8e12 ids
 */
export function newId(length = 8): string {
  let id = ''
  for (let i = 0; i < length; i += 1) id += alphabet[Math.floor(Math.random() * alphabet.length)]
  return id
}

/** 128 bits that nobody can guess, as 32 hexadecimal digits; from the system itself where it gives them without `node:crypto`. */
export function newSecret(): string {
  const bytes = Buffer.alloc(16)
  try {
    const file = openSync('/dev/urandom', 'r')
    try {
      if (readSync(file, bytes) === bytes.length) return bytes.toString('hex')
    } finally {
      closeSync(file)
    }
  } catch {
    // No such device: the library has its own ways.
  }
  return nodeCrypto().randomBytes(16).toString('hex')
}
