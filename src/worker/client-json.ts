import { defaultVhost } from '../config/vhost-of.ts'
import type { ByteRates, ClientInfo } from '../ipc/contract.ts'
import type { EncodedList } from '../ipc/encoded-list.ts'
import { streamId, streamTag } from '../live/stream-key.ts'
import type { Counted } from './client-rates.ts'

/**
 * Clients as the API tells them (SRS's fields), in JSON. It is made where the clients are: a list of a thousand would keep the
 * HTTP worker busy for longer than all the workers that have them. And it is written out here, since most of it is the same for
 * all players of a stream.
 */
export class ClientListWriter {
  readonly #shared: string[] = []
  readonly #shares: number[] = []
  readonly #own: string[] = []
  /** The numbers in `#shared`, by what they are of. */
  readonly #numbers = new Map<string, number>()

  add(client: Counted<ClientInfo>, { sendKbps, recvKbps }: ByteRates): void {
    const { id, ip, aliveSeconds, sendBytes, recvBytes } = client
    const alive = Math.round(aliveSeconds * 1000) / 1000
    this.#shares.push(this.#shareOf(client))
    this.#own.push(
      `"id":${quoted(id)},"ip":${quoted(ip)},"alive":${alive},"send_bytes":${sendBytes},"recv_bytes":${recvBytes}` +
        `,"kbps":{"recv_30s":${recvKbps},"send_30s":${sendKbps}}`,
    )
  }

  end(): EncodedList {
    return { shared: this.#shared, shares: this.#shares, own: this.#own.join('\n') }
  }

  #shareOf(client: Counted<ClientInfo>): number {
    const { vhost, app, stream, pageUrl, swfUrl, tcUrl, type, publish, protocol } = client
    const id = streamId({ vhost, app, stream })
    // With the lengths no two clients have one key: they say of themselves what they like.
    const lengths = `${tcUrl.length},${pageUrl.length},${swfUrl.length}`
    const key = `${publish},${protocol},${type},${lengths},${tcUrl}${pageUrl}${swfUrl}${id}`
    let number = this.#numbers.get(key)
    if (number === undefined) {
      number = this.#shared.length
      this.#numbers.set(key, number)
      this.#shared.push(
        `"vhost":${quoted(vhost)},"stream":"${streamTag(id)}","url":${quoted(urlOf(vhost, app, stream))}` +
          `,"name":${quoted(stream)},"pageUrl":${quoted(pageUrl)},"swfUrl":${quoted(swfUrl)}` +
          `,"tcUrl":${quoted(tcUrl)},"type":${quoted(type)},"publish":${publish},"protocol":${quoted(protocol)}`,
      )
    }
    return number
  }
}

/** The entries of a list, as JSON. */
export function entriesOf({ shared, shares, own }: EncodedList): string[] {
  const lines = own.split('\n')
  return shares.map((share, index) => `{${lines[index]},${shared[share]}}`)
}

/** As SRS has it: the default virtual host is not named. */
export function urlOf(vhost: string, app: string, stream: string): string {
  return `${vhost === defaultVhost ? '' : vhost}/${app}/${stream}`
}

/** Whether all words that somebody looks for are in the id, the address, the stream, the protocol or the type of a client. */
export function isFound(client: Counted<ClientInfo>, lowerCaseWords: readonly string[]): boolean {
  const { id, ip, vhost, app, stream, protocol, type } = client
  const text = `${id} ${ip} ${urlOf(vhost, app, stream)} ${protocol} ${type}`.toLowerCase()
  return lowerCaseWords.every((word) => text.includes(word))
}

function quoted(text: string): string {
  return text === '' ? '""' : JSON.stringify(text)
}
