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
