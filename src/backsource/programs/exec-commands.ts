import { basename } from 'node:path'
import type { VhostConfig } from '../../config/config.ts'
import { splitStreamId } from '../../live/stream-key.ts'
import { ffmpegPrograms } from '../../programs/ffmpeg-arguments.ts'
import { programLogFile } from '../../programs/program-log.ts'
import type { WantedProgram } from '../../programs/program-set.ts'
import { expandArgument, hasVariable, type ProgramValues } from '../../programs/variables.ts'
import type { OutputHost } from '../stream-output.ts'
import { inputUrl, streamValues } from './stream-values.ts'

const shells = ['sh', 'ash', 'bash', 'dash', 'ksh', 'mksh', 'zsh']

/** What `exec { publish … }` runs for a stream. Lines that would let its name be run as a script are refused in the log. */
export function execCommands({ exec }: Pick<VhostConfig, 'exec'>, host: OutputHost): WantedProgram[] {
  if (!exec.enabled) return []
  const { vhost, app, stream } = splitStreamId(host.stream)
  const url = inputUrl('exec', host)
  const values = { ...streamValues(host), url }
  const env = {
    WEIR_VHOST: vhost,
    WEIR_APP: app,
    WEIR_STREAM: stream,
    WEIR_URL: url,
    WEIR_PARAM: values.param,
  }
  return exec.publish.flatMap(([program = '', ...args], index): WantedProgram[] => {
    const number = String(index + 1)
    if (isScripted([program, ...args], values)) {
      const message =
        'exec: a script of a shell may have no variables in it: it has $WEIR_STREAM and others instead'
      host.logger.error({ code: 'PROGRAM_COMMAND', exec: number }, message)
      return []
    }
    const command = {
      programs: ffmpegPrograms(program),
      args: args.map((argument) => expandArgument(argument, values)),
      env,
      logFile: programLogFile(host.config.ffLogDir, ['exec', vhost, app, stream, number]),
    }
    return [{ kind: 'exec', name: number, vhost, stream: host.stream, command }]
  })
}

/** Whether a variable is in the script of a shell (`sh -c SCRIPT`), which would take its value apart. */
function isScripted(words: readonly string[], values: ProgramValues): boolean {
  const shell = words.findIndex((word) => shells.includes(basename(word)))
  if (shell < 0) return false
  const option = words.findIndex((word, at) => at > shell && /^-[a-z]*c[a-z]*$/.test(word))
  return option > 0 && hasVariable(words[option + 1] ?? '', values)
}
