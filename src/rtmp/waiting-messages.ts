/** Messages that came while a verdict was open: clients that pipeline don't wait for answers. */
import { WeirError } from '../base/errors.ts'
import type { RtmpMessage } from './message.ts'

/** Bounds of what waits, for one connection. */
export const maxWaitingMessages = 256
export const maxWaitingBytes = 256 * 1024

/** A bounded queue: first in, first out. */
export class WaitingMessages {
  #messages: RtmpMessage[] = []
  #bytes = 0

  /** @throws WeirError RTMP_FLOOD */
  push(message: RtmpMessage): void {
    this.#bytes += message.body.length
    if (this.#messages.length >= maxWaitingMessages || this.#bytes > maxWaitingBytes) {
      throw new WeirError('RTMP_FLOOD', 'the client sends too much before it is answered')
    }
    this.#messages.push(message)
  }

  shift(): RtmpMessage | undefined {
    const message = this.#messages.shift()
    if (message !== undefined) this.#bytes -= message.body.length
    return message
  }

  get empty(): boolean {
    return this.#messages.length === 0
  }

  clear(): void {
    this.#messages = []
    this.#bytes = 0
  }
}
