import { measure, type RoleFigures } from '../measure.ts'
import { barChart } from '../report/chart.ts'
import { atMost, format, ratio } from '../report/target.ts'
import { bareNodePssMb } from '../servers/bare-node.ts'
import { weir } from '../servers/weir.ts'
import type { BenchCase } from './bench-case.ts'
import { measurePeers, present, roleTable } from './peer-figures.ts'

/** Ingest alone: each stream goes through a stream worker and a back-source, with nobody watching. */
export const publishers: BenchCase = {
  name: 'publishers',
  title: '200 publishers, no players',
  async measure(run) {
    const load = { clip: 500, streams: run.count(200), players: 0, streamsBegin: 'before players' } as const
    const own = await measure(run, weir(), load)
    const shared = await measure(run, weir({ maxProcesses: 8 }), load)
    const peers = await measurePeers(run, load)
    const all = [own, shared, ...present(peers)]
    const backSources = own.roles.find(({ role }) => role === 'back-source')
    const bare = await bareNodePssMb(run.dir, backSources?.processes ?? 1)
    const nginx = peers.nginxDefault?.cpuSeconds ?? null
    const bars = all.map(({ server, setting, cpuPercent }) => ({
      label: `${server}, ${setting}`,
      value: cpuPercent,
    }))
    return {
      targets: [
        atMost('CPU of all processes, of nginx-rtmp', ratio(own.cpuSeconds, nginx), 2.5),
        atMost('`max_processes 8`: CPU of all processes, of nginx-rtmp', ratio(shared.cpuSeconds, nginx), 2),
        atMost('PSS of a back-source', pssOf(backSources), 14, 'MB'),
      ],
      table: roleTable(all),
      charts: [barChart('publishers.svg', 'CPU to take 200 publishers', '% of a core, less is better', bars)],
      notes: [
        ...peers.notes,
        `As many processes of Node that wait at a Unix socket and do nothing have a PSS of ${format(bare)} MB each.`,
      ],
      data: { all, bareNodePssMb: bare },
    }
  },
}

/** The mean over the processes of a role, in MB. */
function pssOf(role: RoleFigures | undefined): number | null {
  return role === undefined ? null : role.pssMb / role.processes
}
