import type { HookCount } from '../ipc/hook-facts.ts'
import type { HookAction } from './hook-settings.ts'

/** Counts the callbacks of a process, by action. */
export class HookCounts {
  readonly #counts = new Map<HookAction, HookCount>()

  of(action: HookAction): HookCount {
    let count = this.#counts.get(action)
    if (count === undefined) {
      count = { action, answered: 0, refused: 0, failed: 0, retried: 0, dropped: 0, seconds: 0 }
      this.#counts.set(action, count)
    }
    return count
  }

  all(): HookCount[] {
    return [...this.#counts.values()]
  }
}
