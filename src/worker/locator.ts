import type { FromMaster, StreamId, ToMaster } from '../ipc/contract.ts'

/** How long the master may take, in milliseconds; it waits a second for Redis. */
const timeoutMs = 3000

type Located = Extract<FromMaster, { t: 'located' }>

/** Another node of the cluster, and where it is reached; all '' : no other node has the stream. */
export type Place = Pick<Located, 'node' | 'rtmp' | 'http'>

const nowhereElse: Place = { node: '', rtmp: '', http: '' }

/** Asks the master which other node of the cluster has a stream. */
export class Locator {
  readonly #send: (message: ToMaster) => void
  readonly #waiting = new Map<number, (place: Place) => void>()
  #next = 1

  constructor(send: (message: ToMaster) => void) {
    this.#send = send
  }

  /** A master that does not answer knows no other node. */
  locate(stream: StreamId): Promise<Place> {
    const request = this.#next
    this.#next += 1
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#waiting.get(request)?.(nowhereElse), timeoutMs)
      this.#waiting.set(request, (place) => {
        clearTimeout(timer)
        this.#waiting.delete(request)
        resolve(place)
      })
      this.#send({ t: 'locate', request, stream })
    })
  }

  /** The master has answered. */
  onLocated({ request, node, rtmp, http }: Located): void {
    this.#waiting.get(request)?.({ node, rtmp, http })
  }
}
