/** Where the configuration is. */
export interface ConfigPlace {
  /** Its absolute path. */
  readonly file: string
  /** The working directory of the start, before `work_dir`: what it includes may count from there. */
  readonly cwd: string
}

/** Settings that hold for the life of the master. */
export const fixedSettings: readonly string[] = ['daemon', 'runtimeDir', 'ramDir', 'workDir', 'pid']
