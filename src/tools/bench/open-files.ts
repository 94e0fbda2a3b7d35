import { WeirError } from '../../base/errors.ts'

/** The part of Node's diagnostic report that tells limits of the process; Windows has none. */
interface LimitsReport {
  readonly userLimits?: { readonly open_files?: { readonly soft: number | 'unlimited' } }
}

/** What a process of Node has open beside its connections, with room to spare. */
const otherFiles = 64

/** How many files this process may open: its soft limit, which Node itself raises to the hard one at its start. */
export function openFilesLimit(): number {
  const { userLimits } = process.report.getReport() as LimitsReport
  const soft = userLimits?.open_files?.soft
  return typeof soft === 'number' ? soft : Number.POSITIVE_INFINITY
}

/**
 * Checks that so many connections fit into a limit.
 * @throws WeirError OPEN_FILES
 */
export function checkOpenFiles(connections: number, limit: number): void {
  const needed = connections + otherFiles
  if (needed <= limit) return
  throw new WeirError(
    'OPEN_FILES',
    `${connections} connections need ${needed} open files, the limit is ${limit}`,
  )
}
