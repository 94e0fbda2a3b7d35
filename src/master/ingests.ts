import { fileURLToPath } from 'node:url'
import { codeOf, messageOf, WeirError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { ownClientParam } from '../base/own-client.ts'
import type { Config, VhostConfig } from '../config/config.ts'
import type { ProgramFacts } from '../ipc/program-facts.ts'
import { type EngineConfig, ffmpegArguments, ffmpegPrograms } from '../programs/ffmpeg-arguments.ts'
import { isOwnServer, ownAddress } from '../programs/own-server.ts'
import { programLogFile } from '../programs/program-log.ts'
import { ProgramSet, type WantedProgram } from '../programs/program-set.ts'
import type { ProgramCommand } from '../programs/supervised-program.ts'
import { expandOutput } from '../programs/variables.ts'

type IngestConfig = VhostConfig['ingest'][string]

/** What publishes an FLV file without FFmpeg, from this file's compiled place. */
const ownReader = fileURLToPath(new URL('../ingest/main.js', import.meta.url))

/** It does nothing but wait and write: one thread, little memory. */
const ownReaderOptions = ['--max-semi-space-size=1', '--single-threaded']

/** Where an ingest publishes that does not say where. */
const standardOutput = 'rtmp://127.0.0.1:[port]/live?vhost=[vhost]/[ingest]'

/** The programs that fetch streams from elsewhere and publish them here: children of the master, of which it sees no media. */
export class Ingests {
  readonly #logger: Logger
  readonly #ownToken: string
  readonly #programs: ProgramSet

  /** @param ownToken see base/own-client.ts */
  constructor(logger: Logger, ownToken: string) {
    this.#logger = logger
    this.#ownToken = ownToken
    this.#programs = new ProgramSet(logger)
  }

  get facts(): ProgramFacts[] {
    return this.#programs.facts
  }

  /** Runs what a configuration asks for, and touches nothing that it has as it was. */
  apply(config: Config): void {
    this.#programs.apply(ingestPrograms(config, this.#ownToken, this.#logger))
  }

  /** Resolves when all of them have ended. */
  stop(): Promise<void> {
    return this.#programs.stop()
  }
}

/** What a configuration has to fetch. An ingest that cannot be run is told in the log and left out. */
export function ingestPrograms(config: Config, ownToken: string, logger: Logger): WantedProgram[] {
  return Object.entries(config.vhosts).flatMap(([vhost, { enabled, ingest }]) => {
    if (!enabled) return []
    return Object.entries(ingest).flatMap(([name, section]) => {
      if (!section.enabled) return []
      const engines = Object.entries(section.engine)
      const runs: [string, EngineConfig | null][] = engines.length > 0 ? engines : [['', null]]
      return runs.flatMap(([engine, engineConfig]): WantedProgram[] => {
        const about = {
          kind: 'ingest',
          name: [name, engine].filter((part) => part !== '').join(' '),
          vhost,
        } as const
        try {
          const command = commandOf({ config, ownToken, vhost, name, section, engine, engineConfig })
          return [{ ...about, stream: '', command }]
        } catch (error) {
          if (!(error instanceof WeirError)) throw error
          logger.error({ code: codeOf(error), vhost, ingest: about.name }, `ingest: ${messageOf(error)}`)
          return []
        }
      })
    })
  })
}

interface IngestRun {
  readonly config: Config
  readonly ownToken: string
  readonly vhost: string
  readonly name: string
  readonly section: IngestConfig
  readonly engine: string
  readonly engineConfig: EngineConfig | null
}

/** @throws WeirError PROGRAM_COMMAND */
function commandOf(run: IngestRun): ProgramCommand {
  const { config, vhost, name, section, engine } = run
  const { input, ffmpeg } = section
  if (input.url === '') throw new WeirError('PROGRAM_COMMAND', 'the input has no url')
  const output = outputOf(run)
  const logFile = programLogFile(config.ffLogDir, ['ffmpeg-ingest', vhost, name, engine])
  const encoding = encoderOf(run.engineConfig)
  const obstacle = obstacleToOwnReader(section, encoding, output)
  if (ffmpeg === 'internal' && obstacle !== null) {
    throw new WeirError('PROGRAM_COMMAND', `ffmpeg internal: ${obstacle}`)
  }
  if (ffmpeg === 'internal' || (ffmpeg === 'auto' && obstacle === null && /\.flv$/i.test(input.url))) {
    const args = [...ownReaderOptions, ownReader, input.url, output, name]
    return { programs: [process.execPath], args, logFile }
  }
  const isFile = input.type === 'file'
  const args = ffmpegArguments(encoding, {
    logLevel: config.ffLogLevel,
    // At its own pace, and from the beginning when it has come to its end.
    inputOptions: isFile ? ['-re', ...(input.url.includes('://') ? [] : ['-stream_loop', '-1'])] : [],
    input: input.url,
    output,
  })
  return { programs: ffmpegPrograms(ffmpeg === 'auto' ? 'ffmpeg' : ffmpeg), args, logFile }
}

/** What an engine encodes, as SRS has it: nothing when it is switched off. Null: everything is copied. */
function encoderOf(engine: EngineConfig | null): EngineConfig | null {
  if (engine === null || !engine.enabled) return null
  if (engine.vcodec !== '' && engine.acodec !== '') return engine
  return { ...engine, vcodec: 'copy', acodec: 'copy' }
}

/** Why Weir itself cannot read an input, null if it can. */
function obstacleToOwnReader(
  { input }: IngestConfig,
  encoding: EngineConfig | null,
  output: string,
): string | null {
  if (input.type !== 'file' || input.url.includes('://')) return 'only files can be read'
  const isCopy = encoding === null || (encoding.vcodec === 'copy' && encoding.acodec === 'copy')
  if (!isCopy) return 'only FFmpeg encodes'
  return output.startsWith('rtmp://') ? null : 'the output is no RTMP URL'
}

/** What comes back to this server says what it is; see base/own-client.ts. */
function outputOf({ config, ownToken, vhost, name, engine, engineConfig }: IngestRun): string {
  const template = engineConfig?.output || standardOutput
  const port = String(ownAddress(config).port)
  const output = expandOutput(template, { vhost, port, ingest: name, engine })
  if (!isOwnServer(output, config)) return output
  const joint = output.slice(output.lastIndexOf('/')).includes('?') ? '&' : '?'
  return `${output}${joint}${ownClientParam('ingest', ownToken)}`
}
