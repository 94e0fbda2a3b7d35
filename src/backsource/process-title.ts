import type { StreamId } from '../ipc/contract.ts'
import { displayName } from '../live/stream-key.ts'

/** What a back-source is called in `ps` and `top`: after its first stream, and how many more it has. */
export function titleOf([first, ...more]: readonly StreamId[]): string {
  if (first === undefined) return 'weir: back-source (spare)'
  return `weir: back-source ${displayName(first)}${more.length > 0 ? ` +${more.length}` : ''}`
}
