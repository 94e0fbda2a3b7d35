/** The files a configuration is made of: the one that was named, and all that it includes. */
import { existsSync, globSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { messageOf, WeirError } from '../base/errors.ts'
import { type Position, syntaxError } from './lexer.ts'
import { type Argument, type Directive, parse } from './parser.ts'

export interface Source {
  /** The directives of all files, each `include` replaced by what it includes. */
  readonly directives: readonly Directive[]
  /** The files that were read, in that order and each once; the first is the one that was named. */
  readonly files: readonly string[]
}

const maxFileBytes = 1024 * 1024
const maxIncludeDepth = 16
/** Includes of includes multiply: without this, a few lines could read a file a million times. */
const maxIncludes = 1024
/** A name with one of these may stand for several files. */
const pattern = /[*?[]/

/**
 * Reads a configuration with its includes.
 * @param cwd where included files are looked for that are not beside the file which includes them
 * @throws WeirError CONFIG_UNREADABLE, CONFIG_SYNTAX, or CONFIG_INCLUDE on a loop or too many files
 */
export function readSource(path: string, cwd = process.cwd()): Source {
  const reader = new SourceReader(cwd)
  const directives = reader.read(path, [])
  return { directives, files: [...reader.files] }
}

class SourceReader {
  readonly files = new Set<string>()
  readonly #cwd: string
  #includes = 0

  constructor(cwd: string) {
    this.#cwd = cwd
  }

  /** @param chain the real paths of the files that are being included, the outermost first */
  read(path: string, chain: readonly string[]): Directive[] {
    const text = readText(path)
    this.files.add(path)
    return this.#expand(parse(text, path), [...chain, realpathSync(path)])
  }

  #expand(directives: readonly Directive[], chain: readonly string[]): Directive[] {
    return directives.flatMap((directive) => {
      if (directive.name === 'include') return this.#include(directive, chain)
      if (directive.children === null) return directive
      return { ...directive, children: this.#expand(directive.children, chain) }
    })
  }

  #include(directive: Directive, chain: readonly string[]): Directive[] {
    if (directive.children !== null || directive.args.length === 0) {
      throw syntaxError(directive, 'expected "include" with one or more files and ";"')
    }
    return directive.args.flatMap((argument) =>
      locate(argument, this.#cwd).flatMap((path) => {
        this.#refuseEndless(argument, path, chain)
        return this.read(path, chain)
      }),
    )
  }

  #refuseEndless(argument: Argument, path: string, chain: readonly string[]): void {
    this.#includes += 1
    if (chain.includes(realpathSync(path))) throw includeError(argument, `"${path}" includes itself`)
    if (chain.length > maxIncludeDepth) {
      throw includeError(argument, `files are included deeper than ${maxIncludeDepth}`)
    }
    if (this.#includes > maxIncludes) throw includeError(argument, `more than ${maxIncludes} includes`)
  }
}

/**
 * Finds what an argument of `include` names: a file beside the file that includes it; else, as SRS looks it up, from
 * the working directory (SRS's own files say `include ./conf/x.conf` inside of conf/). A pattern finds any number of
 * files, in the order of their names, at the first of the two places that has any.
 */
function locate(argument: Argument, cwd: string): string[] {
  const { text, file, line, column } = argument
  const places = isAbsolute(text) ? ['/'] : [dirname(file), cwd]
  for (const place of places) {
    const path = isAbsolute(text) ? text : join(place, text)
    if (existsSync(path)) return [path]
  }
  if (!pattern.test(text)) {
    const where = isAbsolute(text) ? text : join(dirname(file), text)
    const message = `${file}:${line}:${column}: there is no file "${where}" to include`
    throw new WeirError('CONFIG_UNREADABLE', message)
  }
  for (const place of places) {
    const found = globSync(text, { cwd: place })
    if (found.length > 0) return found.sort().map((name) => (isAbsolute(name) ? name : join(place, name)))
  }
  return []
}

function readText(path: string): string {
  const bytes = readBytes(path)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw syntaxError(firstInvalid(bytes, path), 'the text is not UTF-8')
  }
}

function readBytes(path: string): Buffer {
  let refusal: string
  try {
    const stat = statSync(path)
    if (stat.isFile() && stat.size <= maxFileBytes) return readFileSync(path)
    refusal = stat.isFile() ? `it has ${stat.size} bytes, more than ${maxFileBytes}` : 'it is not a file'
  } catch (error) {
    throw new WeirError('CONFIG_UNREADABLE', `cannot read ${path}: ${messageOf(error)}`, error)
  }
  throw new WeirError('CONFIG_UNREADABLE', `cannot read ${path}: ${refusal}`)
}

/** Where the text stops being UTF-8: the first replacement character that decoding puts in. */
function firstInvalid(bytes: Buffer, file: string): Position {
  const text = new TextDecoder().decode(bytes)
  const before = text.slice(0, text.indexOf('\uFFFD')).split('\n')
  return { file, line: before.length, column: (before.at(-1) ?? '').length + 1 }
}

function includeError(at: Position, message: string): WeirError {
  return new WeirError('CONFIG_INCLUDE', `${at.file}:${at.line}:${at.column}: ${message}`)
}
