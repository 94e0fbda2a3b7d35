import { resolve } from 'node:path'
import { Argument, Command } from 'commander'
import { WeirError } from '../../base/errors.ts'
import { loadConfig } from '../../config/load.ts'
import { readDuration } from '../../config/schema/values.ts'
import { signUrl } from './sign-url.ts'

/** `weir sign`: prints a URL that lets who has it publish or play. */
export function signCommand(): Command {
  return new Command('sign')
    .description('print a signed URL: it lets who has it publish or play, until it expires')
    .addArgument(new Argument('<action>', 'what it is for').choices(['publish', 'play']))
    .argument('<url>', 'rtmp://HOST/APP/STREAM, or http://HOST/APP/STREAM.m3u8, .flv and the like')
    .option('--expires <time>', 'how long from now, such as 90s, 30m or 12h', '1h')
    .option('--secret <secret>', 'instead of the first secret of the virtual host in the configuration')
    .action((action: 'publish' | 'play', url: string, options: SignCommandOptions, command: Command) => {
      const { config } = loadConfig(resolve(command.optsWithGlobals<{ config: string }>().config))
      const { secret } = options
      const expires = Math.floor(Date.now() / 1000) + secondsOf(options.expires)
      const signed = signUrl(config, url, { action, expires, ...(secret === undefined ? {} : { secret }) })
      process.stdout.write(`${signed}\n`)
    })
}

interface SignCommandOptions {
  readonly expires: string
  readonly secret?: string
}

/** @throws WeirError SIGN */
function secondsOf(text: string): number {
  const seconds = readDuration(text)
  if (seconds === undefined || seconds < 1) {
    throw new WeirError('SIGN', `--expires ${text} is not a time of a second or more, such as 30m or 12h`)
  }
  return Math.floor(seconds)
}
