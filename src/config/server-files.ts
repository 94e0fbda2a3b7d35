import { resolve } from 'node:path'
import { nameOf } from './schema/declare.ts'
import { configuration } from './schema/global.ts'
import { readSource } from './source.ts'

/** Where a running server is found; absolute paths. */
export interface ServerFiles {
  readonly pid: string
  readonly runtimeDir: string
}

/**
 * Reads from a configuration file where its server is found, and nothing else: it need not be valid beyond the
 * grammar. Whoever broke it can still stop the server that runs.
 * @throws WeirError CONFIG_UNREADABLE, CONFIG_SYNTAX or CONFIG_INCLUDE
 */
export function readServerFiles(path: string): ServerFiles {
  const { directives } = readSource(path)
  const { pid, runtimeDir, workDir } = configuration.entries
  const said = (name: string, standard: string): string => {
    const given = directives.find((directive) => directive.name === name && directive.children === null)
    return given?.args[0]?.text || standard
  }
  const base = resolve(said(nameOf('workDir', workDir), workDir.default))
  return {
    pid: resolve(base, said(nameOf('pid', pid), pid.default)),
    runtimeDir: resolve(base, said(nameOf('runtimeDir', runtimeDir), runtimeDir.default)),
  }
}
