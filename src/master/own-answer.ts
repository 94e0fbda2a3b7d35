import type { Answer, Question, ReloadOutcome } from '../ipc/contract.ts'
import type { ProcessMeter } from '../worker/process-meter.ts'
import type { ClusterMembership } from './cluster-membership.ts'
import type { Ingests } from './ingests.ts'
import { sentBefore, streamsByVhost } from './source-facts.ts'
import type { SourceTable } from './source-table.ts'
import type { ToldBytes } from './told-bytes.ts'

/** The parts of the master that know something which is asked for. */
export interface OwnSources {
  readonly meter: ProcessMeter
  readonly table: SourceTable
  readonly told: ToldBytes
  readonly ingests: Ingests
  readonly cluster: ClusterMembership
  reload(): Promise<ReloadOutcome>
}

/** What the master itself has to say to a question; null: nothing. */
export async function ownAnswer(
  question: Question,
  { meter, table, told, ingests, cluster, reload }: OwnSources,
): Promise<Answer | null> {
  switch (question.ask) {
    case 'status': {
      const facts = meter.read()
      return { of: 'status', status: { role: 'master', index: 0, ...facts, connections: 0, streams: [] } }
    }
    case 'usage':
      return { of: 'usage', usage: process.resourceUsage() }
    case 'audience':
      return { of: 'audience', audience: sentBefore(table.sources, question.streams) }
    case 'traffic':
      return { of: 'traffic', traffic: [...told.traffic(), ...streamsByVhost(table.sources)] }
    case 'programs':
      return { of: 'programs', programs: ingests.facts }
    case 'unpublish':
      return { of: 'unpublish', unpublished: table.unpublishByTag(question.tag) }
    case 'cluster':
      return { of: 'cluster', cluster: await cluster.status(question.start, question.count) }
    case 'reload':
      return { of: 'reload', outcome: await reload() }
    default:
      return null
  }
}
