/**
 * Words and punctuation of a configuration file. The notation is nginx's as SRS uses it: words are separated by
 * blanks, `;` ends a directive, `{` and `}` enclose a section, `#` at the start of a word begins a comment, and a
 * word with blanks or punctuation in it stands in single or double quotes.
 */
import { WeirError } from '../base/errors.ts'

/** A place in a configuration file. Line and column count from 1; columns are UTF-16 code units. */
export interface Position {
  readonly file: string
  readonly line: number
  readonly column: number
}

export interface Token extends Position {
  readonly kind: 'word' | ';' | '{' | '}' | 'end'
  /** A word without its quotes and with its escapes resolved; '' for everything else. */
  readonly text: string
}

/** What may follow a backslash inside quotes. Any other backslash stands for itself, as filters and paths need it. */
const escapes = new Map([
  ['\\', '\\'],
  ['"', '"'],
  ["'", "'"],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
])

const controlCharacter = /(?![\t\n\r])\p{Cc}/u
const endOfBareWord = /[ \t\r\n;{}]/g
const mayFollowQuote = ' \t\r\n;{}'

/** A syntax error at a place: `conf/x.conf:12:5: …`. */
export function syntaxError(at: Position, message: string): WeirError {
  return new WeirError('CONFIG_SYNTAX', `${at.file}:${at.line}:${at.column}: ${message}`)
}

/** A word of the file as messages show it: in quotes, on one line, and not too long. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}

/** Cuts a file into tokens, one at a time, in time linear in its length. */
export class Lexer {
  readonly #text: string
  readonly #file: string
  #at = 0
  #line = 1
  #lineStart = 0

  /** @param file the name that positions carry */
  constructor(text: string, file: string) {
    this.#text = text
    this.#file = file
  }

  /**
   * The next token; after the last one, `end` for ever.
   * @throws WeirError CONFIG_SYNTAX on an unclosed quote, text right behind a quote, or a control character
   */
  next(): Token {
    this.#skipBlanks()
    const start = this.#position()
    const char = this.#text[this.#at]
    if (char === undefined) return { kind: 'end', text: '', ...start }
    if (char === ';' || char === '{' || char === '}') {
      this.#at += 1
      return { kind: char, text: '', ...start }
    }
    const text = char === '"' || char === "'" ? this.#quoted(char, start) : this.#bare()
    const control = controlCharacter.exec(text)
    if (control) throw syntaxError(start, `a control character (code ${control[0].charCodeAt(0)}) in a word`)
    return { kind: 'word', text, ...start }
  }

  #position(): Position {
    return { file: this.#file, line: this.#line, column: this.#at - this.#lineStart + 1 }
  }

  #newLineAt(at: number): void {
    this.#line += 1
    this.#lineStart = at + 1
  }

  #skipBlanks(): void {
    for (;;) {
      const char = this.#text[this.#at]
      if (char === '#') {
        const end = this.#text.indexOf('\n', this.#at)
        this.#at = end === -1 ? this.#text.length : end
      } else if (char === '\n') {
        this.#newLineAt(this.#at)
        this.#at += 1
      } else if (char === ' ' || char === '\t' || char === '\r') {
        this.#at += 1
      } else {
        return
      }
    }
  }

  #bare(): string {
    endOfBareWord.lastIndex = this.#at
    const end = endOfBareWord.exec(this.#text)?.index ?? this.#text.length
    const text = this.#text.slice(this.#at, end)
    this.#at = end
    return text
  }

  #quoted(quote: string, start: Position): string {
    let text = ''
    for (let at = this.#at + 1; at < this.#text.length; at += 1) {
      const char = this.#text.charAt(at)
      if (char === quote) {
        this.#at = at + 1
        this.#expectWordEnd(start)
        return text
      }
      const escaped = char === '\\' ? escapes.get(this.#text.charAt(at + 1)) : undefined
      if (escaped !== undefined) at += 1
      if (char === '\n') this.#newLineAt(at)
      text += escaped ?? char
    }
    throw syntaxError(start, `expected a closing ${quote} for the one that opens here`)
  }

  #expectWordEnd(start: Position): void {
    const next = this.#text[this.#at]
    if (next === undefined || mayFollowQuote.includes(next)) return
    throw syntaxError(
      this.#position(),
      `expected a blank, ";" or "{" behind the quoted word that begins at ${start.line}:${start.column}, found ${shown(next)}`,
    )
  }
}
