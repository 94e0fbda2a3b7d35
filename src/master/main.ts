import { resolve } from 'node:path'
import { codeOf, messageOf, WeirError } from '../base/errors.ts'
import { openLog } from '../base/logger.ts'
import { version } from '../base/version.ts'
import type { Config } from '../config/config.ts'
import { type LoadedConfig, loadConfig } from '../config/load.ts'
import { banner } from './banner.ts'
import { Master } from './master.ts'

/**
 * Runs a server in this process until a signal ends it. Resolves when it accepts clients.
 * @param configFile path of the configuration file, relative to where the command was given
 * @param loaded what is in it, when that has been read already
 * @throws WeirError when it cannot start; nothing is left behind then
 */
export async function runMaster(configFile: string, loaded?: LoadedConfig): Promise<void> {
  process.title = 'weir: master'
  const place = { file: resolve(configFile), cwd: process.cwd() }
  const { config, warnings } = loaded ?? loadConfig(place.file, place.cwd)
  enterWorkDir(config)
  const log = await openLog('master', config.log)
  for (const warning of warnings) log.logger.warn(warning)
  const master = await Master.create(place, config, log)
  const finish = (end: Promise<void>): void => {
    end.then(
      () => process.exit(0),
      (error: unknown) => {
        log.logger.fatal({ code: codeOf(error), err: error }, 'the server did not stop cleanly')
        log.flush()
        process.exit(1)
      },
    )
  }
  const stopOn = (signal: NodeJS.Signals, stop: () => Promise<void>): void => {
    process.on(signal, () => {
      log.logger.info({ signal }, 'asked to stop')
      finish(stop())
    })
  }
  stopOn('SIGTERM', () => master.terminate())
  stopOn('SIGINT', () => master.stop())
  stopOn('SIGQUIT', () => master.stopGracefully())
  process.on('SIGHUP', () => void master.reload())
  process.on('SIGUSR1', () => master.reopenLogs())
  process.on('SIGUSR2', () => {
    log.logger.warn('SIGUSR2: upgrading in place is not available in this version; stop and start instead')
  })
  process.on('uncaughtException', (error) => {
    log.logger.fatal(
      { code: codeOf(error), err: error },
      `the master has a bug and ends: ${messageOf(error)}`,
    )
    log.flush()
    process.exit(1)
  })
  const endpoints = await master.start()
  log.logger.info({ version, listen: endpoints, config: place.file }, 'the server accepts clients')
  process.stderr.write(banner(config, endpoints))
}

/**
 * Changes to the directory from which the paths in a configuration count.
 * @throws WeirError WORK_DIR
 */
export function enterWorkDir({ workDir }: Config): void {
  try {
    process.chdir(workDir)
  } catch (error) {
    throw new WeirError('WORK_DIR', `work_dir ${workDir}: ${messageOf(error)}`, error)
  }
}
