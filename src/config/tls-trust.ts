import { readFile } from 'node:fs/promises'
import { messageOf, WeirError } from '../base/errors.ts'

/** How the certificate of a server is checked that this one connects to: directives of `cluster` and of `forward`. */
export interface TlsTrust {
  /** A file of certificates (PEM) to trust instead of the usual ones; '' for none. */
  readonly tlsCa: string
  readonly tlsVerify: boolean
}

/** The same as node:tls takes it. */
export interface TlsOptions {
  readonly ca?: Buffer
  readonly rejectUnauthorized?: false
}

/**
 * Reads what a client is to trust, for the connection that it is about to make: a file that was replaced counts at once.
 * @throws WeirError TLS_FILES
 */
export async function tlsOptions({ tlsCa, tlsVerify }: TlsTrust): Promise<TlsOptions> {
  const how = tlsVerify ? {} : { rejectUnauthorized: false as const }
  if (tlsCa === '') return how
  try {
    return { ...how, ca: await readFile(tlsCa) }
  } catch (error) {
    throw new WeirError('TLS_FILES', `cannot read ${tlsCa}: ${messageOf(error)}`, error)
  }
}
