import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { WeirError } from '../base/errors.ts'
import type { Endpoint } from '../config/config.ts'
import { endpointName } from '../config/endpoints.ts'
import { ownerOf, processName } from './proc-sockets.ts'

/**
 * Finds out whether an endpoint is free before any worker starts. The workers share their ports (`reusePort`),
 * so that they could not notice a second server on the same port: the kernel would deal clients to both.
 * @param reusePort whether our own workers may have the port already, under another address
 * @throws WeirError LISTEN when it is taken; the message names the holder if the system tells
 */
export async function probe(endpoint: Endpoint, reusePort = false): Promise<void> {
  if (endpoint.port === 0) return
  // Where nobody listens, the address alone is tried: a client that came to a port that closes again would be dropped.
  const isFree = !isPrivileged(endpoint.port) && isUnused(endpoint.port)
  await listen(isFree ? { ...endpoint, port: 0 } : endpoint, reusePort, endpoint)
}

/** Listens at an endpoint for a moment. @throws WeirError LISTEN about `wanted` */
function listen(endpoint: Endpoint, reusePort: boolean, wanted: Endpoint): Promise<void> {
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const where = `listen ${endpointName(wanted)}`
      const holder = error.code === 'EADDRINUSE' ? holderOf(endpoint.port) : null
      const reason = holder === null ? error.message : `the port is in use by ${holder}`
      reject(new WeirError('LISTEN', `${where}: ${reason}`, error))
    })
    const host = endpoint.host === null ? {} : { host: endpoint.host }
    server.listen({ ...host, port: endpoint.port, reusePort }, () => server.close(() => resolve()))
  })
}

/** Whether it may take a right to listen there, which only listening tells. */
function isPrivileged(port: number): boolean {
  return port < 1024
}

/** Whether the system says that nobody listens on a TCP port, at any address. */
function isUnused(port: number): boolean {
  try {
    return listeningInode(port) === null
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/** The process that listens on a TCP port, from /proc: `nginx (pid 123)`; null when the system does not tell. */
export function holderOf(port: number): string | null {
  try {
    const inode = listeningInode(port)
    const pid = inode === null ? null : ownerOf(inode)
    return pid === null ? null : processName(pid)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** proc(5), /proc/net/tcp: the second field is address:port in hex, the fourth the state (0A: listening), the tenth the inode. */
function listeningInode(port: number): string | null {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readFileSync(table, 'utf8').split('\n')) {
      const fields = line.trim().split(/\s+/)
      if (fields[1]?.endsWith(suffix) && fields[3] === '0A') return fields[9] ?? null
    }
  }
  return null
}
