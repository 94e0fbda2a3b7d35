import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A certificate of this machine that it signed itself, and its key, as files. */
export interface SelfSigned {
  readonly cert: string
  readonly key: string
  /** The certificate itself, PEM: what a client has to trust. */
  readonly pem: string
}

/**
 * Has openssl make a certificate for localhost and 127.0.0.1.
 * @param name of the two files, without their endings, and of the certificate's subject
 */
export function selfSigned(dir: string, name = 'server'): SelfSigned {
  const [cert, key] = [join(dir, `${name}.crt`), join(dir, `${name}.key`)]
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
      ...['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
      ...['-keyout', key, '-out', cert],
    ],
    { stdio: 'pipe' },
  )
  return { cert, key, pem: readFileSync(cert, 'utf8') }
}
