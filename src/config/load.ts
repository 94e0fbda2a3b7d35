import { resolve } from 'node:path'
import { WeirError } from '../base/errors.ts'
import { apiAccessProblem, apiAccessWarning } from './api-access.ts'
import { clusterProblem } from './cluster-problem.ts'
import type { Config } from './config.ts'
import { endpointClash } from './endpoints.ts'
import { interpret } from './interpret.ts'
import { ramWarning } from './ram-storage.ts'
import { readSource } from './source.ts'
import { checkTlsFiles } from './tls-files.ts'
import { authProblem, checkTokenKeys } from './vhost-auth.ts'

/** A configuration that was read from files. */
export interface LoadedConfig {
  /** Plain data: it can be cloned, and sent to other processes. */
  readonly config: Config
  /** What the operator should know, one line each, with its place: `conf/x.conf:12: …`. */
  readonly warnings: readonly string[]
  /** The files that were read: the one that was named, then what it includes. */
  readonly files: readonly string[]
}

/**
 * Reads a configuration file and all that it includes. Paths in it are kept as they are written.
 * @param path relative to the working directory, or absolute
 * @param cwd where included files are looked for that are not beside the file which includes them, and what `work_dir`
 *   counts from
 * @throws WeirError CONFIG_UNREADABLE, CONFIG_SYNTAX or CONFIG_INCLUDE with the first problem; else, with all problems
 *   (up to 20) on a line each, the code of the first: CONFIG_UNKNOWN_DIRECTIVE, CONFIG_BAD_VALUE, CONFIG_DUPLICATE;
 *   TLS_FILES, TOKEN_KEYS when a file of certificates or keys that it names cannot be used
 */
export function loadConfig(path: string, cwd = process.cwd()): LoadedConfig {
  const { directives, files } = readSource(path, cwd)
  const { config, warnings } = interpret(directives)
  const clash = endpointClash(config)
  if (clash !== null) throw new WeirError('CONFIG_DUPLICATE', `${path}: ${clash}`)
  const problem = apiAccessProblem(config) ?? authProblem(config) ?? clusterProblem(config)
  if (problem !== null) throw new WeirError('CONFIG_BAD_VALUE', `${path}: ${problem}`)
  const dir = resolve(cwd, config.workDir)
  checkTokenKeys(config, dir)
  const more = [apiAccessWarning(config) ?? [], ramWarning(config) ?? [], checkTlsFiles(config, dir)].flat()
  return { config, warnings: [...warnings, ...more.map((warning) => `${path}: ${warning}`)], files }
}
