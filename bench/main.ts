/**
 * Runs the standing set of benchmarks: `npm run bench`, `npm run bench -- CASE… [--quick]`.
 * Exit status 0 when all was measured, whether or not the targets are met; 1 when a case broke.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { BenchRun } from './bench-run.ts'
import type { BenchCase } from './cases/bench-case.ts'
import { type ClipKbps, makeClip } from './clip.ts'
import { targetLine } from './report/markdown.ts'
import type { CaseResult } from './report/result.ts'
import { isMet } from './report/target.ts'
import { type RunKind, writeReport } from './report/write.ts'
import { findPeers, missingPeers, type Peers } from './servers/peers.ts'
import { root } from './servers/weir.ts'
import { longCases, standingSet } from './suite.ts'
import { endAll } from './system/child.ts'
import { describeMachine, packageVersion } from './system/machine.ts'
import { stayWithTheLoad } from './system/placement.ts'

const seconds = { full: 10, quick: 3 }

/** A quick run has a tenth of the clients and repetitions. */
const quickDivisor = 10

/** @throws Error when a name is none of a case */
function casesOf(names: readonly string[]): readonly BenchCase[] {
  if (names.length === 0) return standingSet
  const all = [...standingSet, ...longCases]
  return names.map((name) => {
    const found = all.find((candidate) => candidate.name === name)
    if (found === undefined) {
      throw new Error(`there is no case ${name}; there are: ${all.map((one) => one.name).join(', ')}`)
    }
    return found
  })
}

function newRun(quick: boolean, peers: Peers, dir: string): BenchRun {
  const clipPaths = new Map<ClipKbps, string>()
  return {
    quick,
    seconds: quick ? seconds.quick : seconds.full,
    peers,
    dir,
    clip(kbps) {
      const path = clipPaths.get(kbps) ?? makeClip(dir, kbps)
      clipPaths.set(kbps, path)
      return path
    },
    count: (full) => (quick ? Math.ceil(full / quickDivisor) : full),
    say: (line) => console.log(`  ${line}`),
  }
}

/** Runs the cases one after the other. @returns what was found, and the names of the cases that broke */
async function runAll(cases: readonly BenchCase[], run: BenchRun) {
  const results: CaseResult[] = []
  const broken: string[] = []
  for (const { name, title, measure } of cases) {
    console.log(`${name}: ${title}`)
    try {
      const found = await measure(run)
      results.push({ name, title, ...found })
      for (const note of found.notes) console.log(`  ${note}`)
      for (const target of found.targets) console.log(`  ${targetLine(target)}`)
    } catch (error) {
      broken.push(name)
      console.error(`  ${name} broke:`, error)
    }
  }
  return { results, broken }
}

/** A run with what is missing in it must not stand in the documentation as the whole. */
function kindOf(names: readonly string[], quick: boolean, broken: readonly string[]): RunKind {
  if (quick || broken.length > 0) return 'partial'
  if (names.length === 0) return 'standing-set'
  return names.join() === 'memory' ? 'memory' : 'partial'
}

function versionsOf(peers: Peers): Record<string, string> {
  const versions: Record<string, string> = { Weir: packageVersion(join(root, 'package.json')) }
  if (peers.nginxRtmp !== null) versions['nginx (with nginx-rtmp)'] = peers.nginxRtmp
  if (peers.nodeMediaServer !== null) versions['node-media-server'] = peers.nodeMediaServer
  return versions
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { quick: { type: 'boolean', default: false } },
  })
  const cases = casesOf(positionals)
  const machine = describeMachine()
  const peers = findPeers()
  for (const line of missingPeers(peers)) console.log(line)
  stayWithTheLoad()

  const dir = mkdtempSync(join(tmpdir(), 'weir-bench-'))
  const cleanUp = (): void => {
    endAll()
    rmSync(dir, { recursive: true, force: true })
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      cleanUp()
      process.exit(130)
    })
  }
  const begin = performance.now()
  const { results, broken } = await runAll(cases, newRun(values.quick, peers, dir)).finally(cleanUp)

  const date = new Date().toISOString().slice(0, 10)
  const kind = kindOf(positionals, values.quick, broken)
  const written = writeReport(
    { date, quick: values.quick, machine, versions: versionsOf(peers), results },
    kind,
  )
  const unmet = results.flatMap(({ name, targets }) =>
    targets.filter((target) => isMet(target) !== true).map((target) => `${name}: ${targetLine(target)}`),
  )
  console.log(`\n${Math.round((performance.now() - begin) / 1000)} s; written: ${written.join(', ')}`)
  console.log(
    unmet.length === 0 ? 'All targets are met.' : `Targets that are not met:\n  ${unmet.join('\n  ')}`,
  )
  if (broken.length > 0) console.error(`Broken: ${broken.join(', ')}`)
  return broken.length === 0 ? 0 : 1
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`)
  return 1
})
