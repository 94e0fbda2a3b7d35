import { isDeepStrictEqual } from 'node:util'
import type { Config } from './config.ts'

/**
 * What differs between two configurations. Keys are dotted paths of a value: `listen`, `log.level`, `play.gopCache`,
 * `ingest.camera.input.url`; an array counts as one value.
 */
export interface ConfigDiff {
  /** Outside of virtual hosts. */
  readonly global: readonly string[]
  readonly vhosts: {
    readonly added: readonly string[]
    readonly removed: readonly string[]
    /** For each virtual host that both have and that differs. */
    readonly changed: Readonly<Record<string, readonly string[]>>
  }
}

/** Compares the configuration that runs with the one that shall. */
export function diffConfig(before: Config, after: Config): ConfigDiff {
  const { vhosts: oldVhosts, ...oldGlobal } = before
  const { vhosts: newVhosts, ...newGlobal } = after
  const kept = Object.keys(newVhosts).filter((name) => Object.hasOwn(oldVhosts, name))
  const changed = kept
    .map((name) => [name, changedKeys(oldVhosts[name], newVhosts[name])] as const)
    .filter(([, keys]) => keys.length > 0)
  return {
    global: changedKeys(oldGlobal, newGlobal),
    vhosts: {
      added: Object.keys(newVhosts).filter((name) => !Object.hasOwn(oldVhosts, name)),
      removed: Object.keys(oldVhosts).filter((name) => !Object.hasOwn(newVhosts, name)),
      changed: Object.fromEntries(changed),
    },
  }
}

/** The dotted paths of what differs; [''] when the values themselves are no objects and differ. */
function changedKeys(before: unknown, after: unknown): string[] {
  if (!isRecord(before) || !isRecord(after)) return isDeepStrictEqual(before, after) ? [] : ['']
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...keys].flatMap((key) =>
    changedKeys(before[key], after[key]).map((path) => (path === '' ? key : `${key}.${path}`)),
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
