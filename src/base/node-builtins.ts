/**
 * Parts of Node that are loaded when they are first needed: `node:crypto` and `node:tls` take 50 ms of a process's start
 * together, and most processes need none of it then.
 */

export function nodeCrypto(): typeof import('node:crypto') {
  return process.getBuiltinModule('node:crypto')
}

export function nodeTls(): typeof import('node:tls') {
  return process.getBuiltinModule('node:tls')
}
