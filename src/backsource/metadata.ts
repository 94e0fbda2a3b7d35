import { codeOf } from '../base/errors.ts'
import { readMetadata } from '../media/metadata.ts'

/**
 * Whether a publisher's metadata asks for absolute timestamps (`bravo_atc`), as encoders do that feed two
 * packagers alike. Metadata that does not parse asks for nothing: it is passed on as it is.
 */
export function metadataAsksForAtc(body: Buffer): boolean {
  try {
    const value = readMetadata(body)?.get('bravo_atc')
    return value === true || value === 1 || value === 'true' || value === '1'
  } catch (error) {
    if (codeOf(error).startsWith('AMF_')) return false
    throw error
  }
}
