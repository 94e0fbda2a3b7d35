/** `weir bench`: the command line of the load tool. */
import { Command, InvalidArgumentError } from 'commander'
import { parseRtmpUrl } from '../../client/rtmp-url.ts'
import { clientUrl } from './client-url.ts'
import { checkOpenFiles, openFilesLimit } from './open-files.ts'
import { jsonOutput, textOutput } from './output.ts'
import type { CommonPlan, Plan } from './plan.ts'
import { createPlayer } from './player.ts'
import { isFaultless } from './result.ts'
import { runLoad } from './run.ts'
import { PlayStatistics } from './stream-checker.ts'

interface CommonFlags {
  readonly clients: number
  readonly url: string
  readonly duration?: number
  readonly ramp: number
  readonly threads: number
  readonly json?: boolean
}

interface PlayFlags extends CommonFlags {
  readonly streams?: number
}

interface PublishFlags extends CommonFlags {
  readonly input: string
  readonly stamp?: boolean
  readonly loop: boolean
}

const settleMs = 2000
const defaultPlaySeconds = 10
/** Exit status if a client was not up to the end or got something wrong. */
const faultyStatus = 2

export function benchCommand(): Command {
  const play = common(new Command('play'))
    .description('play, check what comes, and tell bit rates, first-packet times and latency')
    .option(
      '--streams <n>',
      'spread the players over n streams: player k takes {i} = k modulo n',
      positiveInteger,
    )
    .action((flags: PlayFlags) => {
      const { streams = null, duration = defaultPlaySeconds } = flags
      return measure({ kind: 'play', streams, ...commonPlan(flags) }, duration, flags.json)
    })
  const publish = common(new Command('publish'))
    .description('publish a clip at its own pace, again and again')
    .requiredOption('-i, --input <file>', 'FLV file, which is read into memory')
    .option('--stamp', 'put number and time into each picture (H.264), for players to tell gaps and latency')
    .option('--loop', 'begin anew at the end of the clip, the time goes on', true)
    .option('--no-loop', 'end at the end of the clip')
    .action((flags: PublishFlags) => {
      const { input: clip, stamp = false, loop, duration = null } = flags
      return measure({ kind: 'publish', clip, stamp, loop, ...commonPlan(flags) }, duration, flags.json)
    })
  return new Command('bench')
    .description('put load on a server, and check and measure what it delivers')
    .addCommand(play)
    .addCommand(publish)
}

function common(command: Command): Command {
  return command
    .requiredOption('-c, --clients <n>', 'how many', positiveInteger)
    .requiredOption(
      '-r, --url <url>',
      'rtmp://host/app/stream, http://host/app/stream.flv, .ts or .m3u8, ws://…; {i} is the number of the client, from 0',
    )
    .option('-d, --duration <seconds>', 'how long to measure (play: 10; publish: until Ctrl-C)', positive)
    .option('--ramp <n>', 'clients to start in a second, at most', positive, 1000)
    .option('--threads <n>', 'threads to spread them over', positiveInteger, 1)
    .option('--json', 'one JSON object per line instead of text')
}

function commonPlan({ clients, url, ramp, threads }: CommonFlags): CommonPlan {
  return { clients, url, rampPerSecond: ramp, threads: Math.min(threads, clients) }
}

async function measure(plan: Plan, seconds: number | null, json = false): Promise<void> {
  checkUrl(plan)
  checkOpenFiles(plan.clients, openFilesLimit())
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  const write = (text: string) => void process.stdout.write(text)
  const output = json ? jsonOutput(write) : textOutput(write, process.stdout.isTTY)
  const result = await runLoad({ plan, seconds, settleMs, stop: stop.signal, output })
  if (!isFaultless(result)) process.exitCode = faultyStatus
}

/** Says at once, rather than once for each client, what is wrong with a URL. */
function checkUrl(plan: Plan): void {
  const url = clientUrl(plan.url, 0, null)
  if (plan.kind === 'publish') parseRtmpUrl(url)
  else createPlayer(url, new PlayStatistics(), { onUp: () => {}, onFailure: () => {}, onFault: () => {} })
}

function positive(text: string): number {
  const number = Number(text)
  if (!(number > 0) || !Number.isFinite(number)) throw new InvalidArgumentError('It has to be above 0.')
  return number
}

function positiveInteger(text: string): number {
  const number = positive(text)
  if (!Number.isInteger(number)) throw new InvalidArgumentError('It has to be a whole number.')
  return number
}
