/**
 * `node:crypto`, loaded when it is first needed. To import it takes 15 ms of a process's start, and most processes need none
 * of it then.
 */
export function nodeCrypto(): typeof import('node:crypto') {
  return process.getBuiltinModule('node:crypto')
}
