import { resolve } from 'node:path'

/** The configuration of who names none, from where the command was given. */
export const defaultConfigFile = 'conf/weir.conf'

/** Where the configuration is. */
export interface ConfigPlace {
  /** Its absolute path. */
  readonly file: string
  /** The working directory of the start, before `work_dir`: what it includes may count from there. */
  readonly cwd: string
}

/** What a command has to say to find the same configuration from the same directory: `-c FILE `, or nothing. */
export function configOptionFor({ file, cwd }: ConfigPlace): string {
  if (file === resolve(cwd, defaultConfigFile)) return ''
  return `-c ${/^[\w./+@:-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`} `
}

/** Settings that hold for the life of the master. */
export const fixedSettings: readonly string[] = ['daemon', 'runtimeDir', 'ramDir', 'workDir', 'pid']
