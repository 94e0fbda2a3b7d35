/** An event as a server sent it. */
export interface ServerEvent {
  readonly name: string
  readonly data: string
}

/** More than this without the end of an event is no event stream, in characters. */
const maxPending = 16 * 1024 * 1024

/**
 * Reads server-sent events (HTML standard, 9.2.6). The browser's own EventSource cannot send a password.
 * @throws Error when what comes is no event stream
 */
export class EventStreamReader {
  #rest = ''
  #name = ''
  #data: string[] = []

  /** Takes the next piece of text and gives the events that it completes. */
  push(text: string): ServerEvent[] {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/)
    this.#rest = lines.pop() ?? ''
    if (this.#rest.length > maxPending) throw new Error('an event of the server has no end')
    return lines.flatMap((line) => this.#take(line) ?? [])
  }

  #take(line: string): ServerEvent | null {
    if (line === '') {
      const event = { name: this.#name || 'message', data: this.#data.join('\n') }
      const isEmpty = this.#data.length === 0
      this.#name = ''
      this.#data = []
      return isEmpty ? null : event
    }
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
    if (field === 'event') this.#name = value
    else if (field === 'data') this.#data.push(value)
    return null
  }
}
