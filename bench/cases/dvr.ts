import { type Figures, type Load, measure } from '../measure.ts'
import { barChart } from '../report/chart.ts'
import { atMost, format } from '../report/target.ts'
import type { ServerSetup } from '../servers/server.ts'
import { weir } from '../servers/weir.ts'
import type { BenchCase } from './bench-case.ts'
import { roleTable } from './peer-figures.ts'

/** What recording costs: the same publishers with nothing recorded, and each recorded as FLV and as MP4. */
export const dvr: BenchCase = {
  name: 'dvr',
  title: '50 publishers at 2,000 kbit/s, recorded',
  async measure(run) {
    // Most of the publishers start a process.
    const load: Load = {
      clip: 2000,
      streams: run.count(50),
      players: 0,
      streamsBegin: 'before players',
      ramp: 5,
    }
    const cost = async (setup: ServerSetup): Promise<Figures> => {
      const figures = await measure(run, setup, load)
      run.say(`${setup.setting}: ${format(figures.cpuPercent)} % of a core`)
      return figures
    }
    const alone = await cost(weir())
    const flv = await cost(weir({ dvr: 'flv' }))
    const mp4 = await cost(weir({ dvr: 'mp4' }))
    const all = [alone, flv, mp4]
    const beyond = (figures: Figures): number => figures.cpuPercent - alone.cpuPercent
    const bars = all.map(({ setting, cpuPercent }) => ({ label: setting, value: cpuPercent }))
    return {
      targets: [
        atMost('CPU of a core beyond the streams, as FLV', beyond(flv), 10, '%'),
        atMost('CPU of a core beyond the streams, as MP4', beyond(mp4), 10, '%'),
      ],
      table: roleTable(all),
      charts: [
        barChart('dvr.svg', 'CPU to take and record 50 publishers', '% of a core, less is better', bars),
      ],
      notes: [],
      data: all,
    }
  },
}
