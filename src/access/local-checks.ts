import type { AccessCheck } from './access-check.ts'
import { auth } from './auth.ts'
import { refer } from './refer.ts'
import { security } from './security.ts'

/** The checks that need nobody but this process, in the order in which they are made. */
export const localChecks: readonly AccessCheck[] = [security, refer, auth]
