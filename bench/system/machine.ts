import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { cores, placementText } from './placement.ts'

/** What the figures were measured on. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGb: number
  readonly kernel: string
  readonly node: string
  readonly placement: string
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() || 'unknown CPU',
    cores,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: `Linux ${release()}`,
    node: process.versions.node,
    placement: placementText,
  }
}

/** The version a program says it has, by the first number in what it prints; null when it cannot be run. */
export function versionOf(command: string, argument: string): string | null {
  const { status, stdout, stderr } = spawnSync(command, [argument], { encoding: 'utf8' })
  if (status !== 0) return null
  return /\d+(\.\d+)+/.exec(stdout + stderr)?.[0] ?? null
}

/** The version in a package.json. */
export function packageVersion(path: string): string {
  const { version } = JSON.parse(readFileSync(path, 'utf8')) as { version: string }
  return version
}
