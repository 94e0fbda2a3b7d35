import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { messageOf, WeirError } from '../base/errors.ts'
import { nodeCrypto, nodeTls } from '../base/node-builtins.ts'
import type { Config } from './config.ts'
import type { TlsTrust } from './tls-trust.ts'

/** Where a certificate with its chain and its private key are. */
export interface TlsPaths {
  readonly cert: string
  readonly key: string
}

/** The two, as PEM, checked against each other. */
export interface TlsFiles {
  readonly cert: Buffer
  readonly key: Buffer
}

/**
 * Reads a certificate and its key.
 * @param dir the directory that relative paths count from
 * @throws WeirError TLS_FILES
 */
export function readTlsFiles(paths: TlsPaths, dir = process.cwd()): TlsFiles {
  const files = { cert: readOrThrow(paths.cert, dir), key: readOrThrow(paths.key, dir) }
  try {
    nodeTls().createSecureContext(files)
  } catch (error) {
    const names = `certificate ${paths.cert} with key ${paths.key}`
    throw new WeirError('TLS_FILES', `${names}: ${messageOf(error)}`, error)
  }
  return files
}

/**
 * Reads all certificates and keys that a configuration has in use, those to trust as well, so that a bad one is found before
 * anything changes.
 * @param dir the directory that relative paths count from
 * @returns warnings, one line each
 * @throws WeirError TLS_FILES
 */
export function checkTlsFiles(config: Config, dir: string, nowMs = Date.now()): string[] {
  for (const trust of trustsOf(config)) checkTrust(trust, dir)
  return tlsSections(config).flatMap(([name, paths]) => {
    const { X509Certificate } = nodeCrypto()
    const { validTo, validToDate } = new X509Certificate(readTlsFiles(paths, dir).cert)
    if (validToDate.getTime() > nowMs) return []
    return [`${name}: the certificate ${paths.cert} expired on ${validTo}`]
  })
}

/** What says whom to trust, where there may be connections over TLS. */
function trustsOf(config: Config): TlsTrust[] {
  const isNode = config.cluster.registry === 'redis'
  return Object.values(config.vhosts).flatMap(({ enabled, cluster, forward }) => {
    const isUsed =
      isNode || [...cluster.origin, ...cluster.hlsOrigin].some((url) => /^(rtmp|http)s:/.test(url))
    return [...(enabled && isUsed ? [cluster] : []), ...(enabled && forward.enabled ? [forward] : [])]
  })
}

function checkTrust({ tlsCa }: TlsTrust, dir: string): void {
  if (tlsCa === '') return
  const pem = readOrThrow(tlsCa, dir)
  const { X509Certificate } = nodeCrypto()
  try {
    void new X509Certificate(pem)
  } catch (error) {
    throw new WeirError('TLS_FILES', `tls_ca ${tlsCa}: ${messageOf(error)}`, error)
  }
}

function tlsSections({ rtmps, httpApi, httpServer }: Config): [string, TlsPaths][] {
  const sections: [string, TlsPaths, boolean][] = [
    ['rtmps', rtmps, rtmps.enabled],
    ['http_api { https }', httpApi.https, httpApi.enabled && httpApi.https.enabled],
    ['http_server { https }', httpServer.https, httpServer.enabled && httpServer.https.enabled],
  ]
  return sections.flatMap(([name, paths, isUsed]) => (isUsed ? [[name, paths]] : []))
}

function readOrThrow(path: string, dir: string): Buffer {
  try {
    return readFileSync(resolve(dir, path))
  } catch (error) {
    throw new WeirError('TLS_FILES', `cannot read ${path}: ${messageOf(error)}`, error)
  }
}
