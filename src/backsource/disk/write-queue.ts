/**
 * Does one thing with files after the other, while the stream goes on. What is to be done is never dropped once it
 * is in; who puts it in looks at {@link bytes} and {@link tasks} first.
 */
export class WriteQueue {
  #last: Promise<void> = Promise.resolve()
  #tasks = 0
  #bytes = 0

  /** Things that are to be done, the present one among them. */
  get tasks(): number {
    return this.#tasks
  }

  /** Bytes that wait for the disk. */
  get bytes(): number {
    return this.#bytes
  }

  /** @param task does not throw: what goes wrong is its own to tell */
  add(task: () => Promise<void>, bytes = 0): void {
    this.#tasks += 1
    this.#bytes += bytes
    this.#last = this.#last.then(async () => {
      await task()
      this.#tasks -= 1
      this.#bytes -= bytes
    })
  }

  /** Resolves when everything that is in has been done. */
  async drained(): Promise<void> {
    while (this.#tasks > 0) await this.#last
  }
}
