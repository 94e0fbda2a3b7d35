/** The files a configuration is made of: the one that was named, and all that it includes. */
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs'
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
const maxIncludes = 256

/**
 * Reads a configuration with its includes.
 * @throws WeirError CONFIG_UNREADABLE, CONFIG_SYNTAX, or CONFIG_INCLUDE on a loop or too many files
 */
export function readSource(path: string): Source {
  const reader = new SourceReader()
  const directives = reader.read(path, [])
  return { directives, files: [...reader.files] }
}

class SourceReader {
  readonly files = new Set<string>()
  #includes = 0

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
    return directive.args.flatMap((argument) => {
      const path = locate(argument)
      this.#refuseEndless(argument, path, chain)
      return this.read(path, chain)
    })
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
 * Finds an included file beside the file that includes it; else, as SRS looks it up, from the working directory
 * (SRS's own files say `include ./conf/x.conf` inside of conf/).
 */
function locate(argument: Argument): string {
  const beside = isAbsolute(argument.text) ? argument.text : join(dirname(argument.file), argument.text)
  for (const path of [beside, argument.text]) if (existsSync(path)) return path
  const { file, line, column } = argument
  throw new WeirError(
    'CONFIG_UNREADABLE',
    `${file}:${line}:${column}: there is no file "${beside}" to include`,
  )
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
