/** How the kernel spreads connections over stream workers, and what becomes of new ones when a worker dies. */
import { play } from '../load-tool.ts'
import { withPublishers, withServer } from '../measure.ts'
import { atLeast, atMost, format } from '../report/target.ts'
import { weir, weirStatus } from '../servers/weir.ts'
import { together } from '../system/placement.ts'
import type { BenchCase } from './bench-case.ts'

const workers = 4

export const spread: BenchCase = {
  name: 'spread',
  title: `1,000 connections over ${workers} stream workers, then one of them dies`,
  async measure(run) {
    const players = run.count(1000)
    const later = run.count(200)
    return withServer(run, weir({ workers }), together, (server) =>
      withPublishers(run, server, { clip: 250, streams: 1 }, together, async () => {
        const first = play({ url: server.url('s_0'), players, seconds: 60, coreList: together.load })
        try {
          await first.started
          const own = weirStatus(server).workers.filter(({ role }) => role === 'stream')
          const counts = own.map(({ connections }) => connections)
          // The one without the publisher's connection: the stream itself goes on.
          const victim = own.find(({ streams }) => !streams.some(({ publishing }) => publishing))!
          process.kill(victim.pid, 'SIGKILL')
          const second = play({ url: server.url('s_0'), players: later, seconds: 2, coreList: together.load })
          const { up, errors } = await second.result.finally(() => second.stop())
          const fewest = Math.min(...counts) / (players / workers)
          const refused = Object.entries(errors).map(([code, count]) => `${code} ${count}`)
          return {
            targets: [
              atLeast('connections of the worker with the fewest, of the mean', fewest, 0.75),
              atMost('players that came right after a worker died and got nothing', later - up, 0),
            ],
            table: [
              ['', ...counts.map((_, index) => `worker ${index + 1}`)],
              ['connections', ...counts.map(String)],
              ['of the mean', ...counts.map((count) => format(count / (players / workers)))],
            ],
            charts: [],
            notes: [
              `After one worker was killed, ${up} of ${later} new players played` +
                `${refused.length === 0 ? '' : ` (${refused.join(', ')})`}. The kernel spreads by a hash of the ` +
                'addresses and ports, which is as even as chance.',
            ],
            data: { counts, up, errors },
          }
        } finally {
          await first.stop()
        }
      }),
    )
  },
}
