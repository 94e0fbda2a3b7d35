import type { AccessCheck } from './access-check.ts'

/** The checks that need nobody but this process, in the order in which they are made. */
export const localChecks: readonly AccessCheck[] = []
