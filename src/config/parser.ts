/**
 * The directives of a configuration file, as a tree: `name args… ;` and `name args… { … }`. What the names mean is
 * the schema's business.
 */
import { Lexer, type Position, shown, syntaxError, type Token } from './lexer.ts'

export interface Argument extends Position {
  readonly text: string
}

/** One directive. Its position is that of its name. */
export interface Directive extends Position {
  /** What the schema calls it: the name as written, until an older spelling is replaced by the newest. */
  readonly name: string
  /** The name as the file has it; `null` for a directive that no file has, which Weir put there itself. */
  readonly written: string | null
  readonly args: readonly Argument[]
  /** The directives between its braces; `null` when it ends with a semicolon. */
  readonly children: readonly Directive[] | null
}

/** How deep sections may be nested. SRS's deepest needs five. */
const maxDepth = 16

/**
 * Parses one file; `include` is an ordinary directive here.
 * @param file the name that positions carry
 * @throws WeirError CONFIG_SYNTAX with place, what was expected, and where the unfinished construct began
 */
export function parse(text: string, file: string): Directive[] {
  return new Parser(new Lexer(text, file)).file()
}

class Parser {
  readonly #lexer: Lexer

  constructor(lexer: Lexer) {
    this.#lexer = lexer
  }

  file(): Directive[] {
    return this.#directives(null, 0)
  }

  /** Reads directives up to the end of the section that `opener` opened, or of the file when it is `null`. */
  #directives(opener: Token | null, depth: number): Directive[] {
    const directives: Directive[] = []
    for (;;) {
      const token = this.#lexer.next()
      switch (token.kind) {
        case 'word':
          directives.push(this.#directive(token, depth))
          break
        case '}':
          if (opener) return directives
          throw syntaxError(token, 'found "}" where no section is open')
        case 'end':
          if (!opener) return directives
          throw syntaxError(
            token,
            `expected "}" for the section ${shown(opener.text)} that begins at ${opener.line}:${opener.column}`,
          )
        default:
          throw syntaxError(token, `expected the name of a directive, found "${token.kind}"`)
      }
    }
  }

  #directive(name: Token, depth: number): Directive {
    const { file, line, column } = name
    const args: Argument[] = []
    for (;;) {
      const token = this.#lexer.next()
      switch (token.kind) {
        case 'word':
          args.push({ text: token.text, file, line: token.line, column: token.column })
          break
        case ';':
          return { name: name.text, written: name.text, args, children: null, file, line, column }
        case '{': {
          if (depth === maxDepth) throw syntaxError(token, `sections are nested deeper than ${maxDepth}`)
          const children = this.#directives(name, depth + 1)
          return { name: name.text, written: name.text, args, children, file, line, column }
        }
        default: {
          const found = token.kind === 'end' ? 'the end of the file' : `"${token.kind}"`
          throw syntaxError(
            token,
            `expected ";" or "{" for the directive ${shown(name.text)} that begins at ${line}:${column}, found ${found}`,
          )
        }
      }
    }
  }
}
