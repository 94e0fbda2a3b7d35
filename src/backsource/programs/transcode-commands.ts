import { codeOf, messageOf, WeirError } from '../../base/errors.ts'
import { ownClientParam } from '../../base/own-client.ts'
import { parseRtmpUrl } from '../../client/rtmp-url.ts'
import type { VhostConfig } from '../../config/config.ts'
import { vhostNameOf } from '../../config/vhost-of.ts'
import { splitStreamId, streamId } from '../../live/stream-key.ts'
import { type EngineConfig, ffmpegArguments, ffmpegPrograms } from '../../programs/ffmpeg-arguments.ts'
import { isOwnServer } from '../../programs/own-server.ts'
import { programLogFile } from '../../programs/program-log.ts'
import type { WantedProgram } from '../../programs/program-set.ts'
import type { ProgramCommand } from '../../programs/supervised-program.ts'
import { expandOutput } from '../../programs/variables.ts'
import { parseTcUrl } from '../../rtmp/tc-url.ts'
import type { OutputHost } from '../stream-output.ts'
import { inputUrl, streamValues } from './stream-values.ts'

/**
 * What FFmpeg is to do for a stream: each enabled engine of the virtual host, of the stream's application, and of the
 * stream itself. Engines that cannot run are told in the log and left out.
 */
export function transcodeCommands(
  { transcode }: Pick<VhostConfig, 'transcode'>,
  host: OutputHost,
): WantedProgram[] {
  const { vhost, app, stream } = splitStreamId(host.stream)
  return ['', app, `${app}/${stream}`].flatMap((scope) => {
    // Only own keys: an application may be called "constructor".
    const section = Object.hasOwn(transcode, scope) ? transcode[scope] : undefined
    if (!section?.enabled) return []
    return Object.entries(section.engine).flatMap(([engine, config]): WantedProgram[] => {
      if (!config.enabled) return []
      const name = [scope, engine].filter((part) => part !== '').join(' ')
      try {
        const command = commandOf(section.ffmpeg, engine, config, host)
        return [{ kind: 'transcode', name, vhost, stream: host.stream, command }]
      } catch (error) {
        if (!(error instanceof WeirError)) throw error
        host.logger.error({ code: codeOf(error), transcode: name }, `transcode: ${messageOf(error)}`)
        return []
      }
    })
  })
}

/** @throws WeirError TRANSCODE_LOOP, PROGRAM_COMMAND, RTMP_NAME or RTMP_COMMAND (the output) */
function commandOf(ffmpeg: string, engine: string, config: EngineConfig, host: OutputHost): ProgramCommand {
  const { vhost, app, stream } = splitStreamId(host.stream)
  const { ffLogDir, ffLogLevel } = host.config
  const args = ffmpegArguments(config, {
    logLevel: ffLogLevel,
    inputOptions: [],
    input: inputUrl('transcode', host),
    output: outputOf(engine, config, host),
  })
  const logFile = programLogFile(ffLogDir, ['ffmpeg-encoder', vhost, app, stream, engine])
  return { programs: ffmpegPrograms(ffmpeg), args, logFile }
}

/** What goes back to this server says that it comes from a transcode, so that it is not transcoded again. */
function outputOf(engine: string, config: EngineConfig, host: OutputHost): string {
  const values = { ...streamValues(host), engine }
  const elsewhere = expandOutput(config.output, values)
  if (!isOwnServer(elsewhere, host.config)) return elsewhere
  const output = expandOutput(config.output, values, true)
  const { app, stream, tcUrl } = parseRtmpUrl(output)
  const target = parseTcUrl(tcUrl, app, stream)
  const vhost = vhostNameOf(host.config, target.vhost) ?? target.vhost
  if (streamId({ ...target, vhost }) === host.stream) {
    throw new WeirError('TRANSCODE_LOOP', `the output ${output} is the stream itself`)
  }
  const joint = stream.includes('?') ? '&' : '?'
  return `${output}${joint}${ownClientParam('transcode', host.ownToken)}`
}
