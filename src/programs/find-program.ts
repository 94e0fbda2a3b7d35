import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'

/**
 * Where a program is, as a shell would find it.
 * @param name a path, which has a slash, or a name to look for
 * @param directories where names are looked for, as PATH has them
 * @returns null when there is no such file, or it cannot be run
 */
export function findProgram(name: string, directories = process.env.PATH ?? ''): string | null {
  if (name.includes('/')) return isProgram(name) ? (isAbsolute(name) ? name : `./${name}`) : null
  const paths = directories.split(delimiter).map((directory) => join(directory || '.', name))
  return paths.find(isProgram) ?? null
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    // Missing or forbidden: for who looks for a program it is all the same.
    return false
  }
}
