import { resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { codeOf, messageOf, WeirError } from './base/errors.ts'
import { version } from './base/version.ts'
import { loadConfig } from './config/load.ts'
import { readServerFiles } from './config/server-files.ts'
import { controlSignals, type ServerPlace, serverStatus, signalMaster } from './master/control.ts'
import { isDaemon, reportStart, startDaemon } from './master/daemon.ts'
import { runDemo } from './master/demo.ts'
import { enterWorkDir, runMaster } from './master/main.ts'
import { formatStatus } from './master/status-text.ts'
import { signCommand } from './tools/sign/command.ts'

const defaultConfig = 'conf/weir.conf'

/** Says on one line why nothing happened, and ends. */
function fail(error: unknown): never {
  const text = `weir: ${codeOf(error)}: ${messageOf(error)}`
  if (isDaemon()) reportStart(text)
  process.stderr.write(`${text}\n`)
  process.exit(1)
}

async function start(file: string): Promise<void> {
  const loaded = loadConfig(file)
  const { config } = loaded
  if (config.daemon && !isDaemon()) {
    const cwd = process.cwd()
    enterWorkDir(config)
    const pid = await startDaemon(config.log, cwd)
    process.stdout.write(`weir ${version} runs in the background (pid ${pid}), log ${config.log.file}\n`)
    process.exit(0)
  }
  await runMaster(file, loaded)
  if (isDaemon()) reportStart(null)
}

/** Where the server is that `ctl` shall control. Its configuration may be broken by now, up to its grammar. */
function findServer(): ServerPlace {
  const { pidFile } = control.opts<{ pidFile?: string }>()
  if (pidFile !== undefined) return { pid: resolve(pidFile), runtimeDir: null }
  const { config: file } = program.opts<{ config: string }>()
  try {
    return readServerFiles(resolve(file))
  } catch (error) {
    if (!(error instanceof WeirError)) throw error
    const hint = 'ctl --pid-file FILE needs no configuration'
    throw new WeirError(error.code, `${error.message} (${hint})`, error)
  }
}

/** @throws InvalidArgumentError */
function portNumber(text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535) {
    throw new InvalidArgumentError('It has to be a number from 1 to 65535.')
  }
  return port
}

const program = new Command('weir')
  .description('A live-streaming server: RTMP in and out, across all cores.')
  .version(version, '-v, --version', 'print the version')
  .option('-c, --config <file>', 'configuration file', defaultConfig)
  .option('-t, --test', 'test the configuration and exit')
  .helpOption('-h, --help', 'print this help')
  .action(async (options: { config: string; test?: boolean }) => {
    const file = resolve(options.config)
    if (!options.test) return start(file)
    const { warnings } = loadConfig(file)
    for (const warning of warnings) process.stderr.write(`weir: warning: ${warning}\n`)
    process.stdout.write(`weir: the configuration ${file} is valid\n`)
  })

const control = program
  .command('ctl')
  .description('control the running server of a configuration')
  .option('--pid-file <file>', 'find the server by its pid file, without its configuration')

for (const action of Object.keys(controlSignals) as (keyof typeof controlSignals)[]) {
  control
    .command(action)
    .description(`send ${controlSignals[action]} to the master`)
    .action(() => {
      const pid = signalMaster(findServer(), action)
      process.stdout.write(`weir: sent ${controlSignals[action]} to process ${pid}\n`)
    })
}

control
  .command('status')
  .description('show all processes and streams')
  .option('--json', 'as JSON')
  .action(async (options: { json?: boolean }) => {
    const status = await serverStatus(findServer())
    process.stdout.write(options.json ? `${JSON.stringify(status)}\n` : formatStatus(status))
    process.exit(0)
  })

program
  .command('demo')
  .description('start a server that shows a clip: no configuration, no encoder')
  .option('--rtmp-port <port>', 'where RTMP is served', portNumber, 1935)
  .option('--api-port <port>', 'where the console and the API are', portNumber, 1985)
  .option('--http-port <port>', 'where streams are served to pages', portNumber, 8080)
  .action((ports: { rtmpPort: number; apiPort: number; httpPort: number }) => {
    return runDemo({ rtmp: ports.rtmpPort, api: ports.apiPort, http: ports.httpPort })
  })
program.addCommand(signCommand())

// The load tool is loaded only when it is asked for. Its options have letters that mean something else before it.
if (process.argv.includes('bench')) {
  const { benchCommand } = await import('./tools/bench/command.ts')
  program.enablePositionalOptions().addCommand(benchCommand())
} else {
  program.command('bench').description('put load on a server, and check and measure what it delivers')
}

if (process.argv.includes('bandwidth')) {
  const { bandwidthCommand } = await import('./tools/bandwidth/command.ts')
  program.addCommand(bandwidthCommand())
} else {
  program.command('bandwidth').description('measure the bandwidth to a server')
}

program.parseAsync().catch(fail)
