import { defaultVhost } from '../config/vhost-of.ts'
import type { ByteRates, ClientInfo, EncodedList } from '../ipc/contract.ts'
import { streamId, streamTag } from '../live/stream-key.ts'
import type { Counted } from './client-rates.ts'

/**
 * Clients as the API tells them (SRS's fields), in JSON. It is made where the clients are: a list of a thousand would keep the
 * HTTP worker busy for longer than all the workers that have them; and written out here, since most of it is the same for
 * all clients of a stream.
 */
export class ClientListWriter {
  readonly #entries: string[] = []
  /** By stream: what all its clients have alike. */
  readonly #streams = new Map<string, string>()

  add(client: Counted<ClientInfo>, { sendKbps, recvKbps }: ByteRates): void {
    const { pageUrl, swfUrl, tcUrl, protocol, publish, sendBytes, recvBytes } = client
    const alive = Math.round(client.aliveSeconds * 1000) / 1000
    this.#entries.push(
      `{"id":${quoted(client.id)},${this.#ofStream(client)},"ip":${quoted(client.ip)}` +
        `,"pageUrl":${quoted(pageUrl)},"swfUrl":${quoted(swfUrl)},"tcUrl":${quoted(tcUrl)}` +
        `,"type":${quoted(client.type)},"publish":${publish},"alive":${alive}` +
        `,"send_bytes":${sendBytes},"recv_bytes":${recvBytes}` +
        `,"kbps":{"recv_30s":${recvKbps},"send_30s":${sendKbps}},"protocol":${quoted(protocol)}}`,
    )
  }

  end(): EncodedList {
    let end = -1
    const ends = this.#entries.map((entry) => {
      end += 1 + Buffer.byteLength(entry)
      return end
    })
    return { bytes: Buffer.from(this.#entries.join(',')), ends }
  }

  #ofStream({ vhost, app, stream }: Counted<ClientInfo>): string {
    const id = streamId({ vhost, app, stream })
    const known = this.#streams.get(id)
    if (known !== undefined) return known
    const url = quoted(urlOf(vhost, app, stream))
    const text = `"vhost":${quoted(vhost)},"stream":"${streamTag(id)}","url":${url},"name":${quoted(stream)}`
    this.#streams.set(id, text)
    return text
  }
}

/**
 * A part of a list, with commas between its entries.
 * @param to behind the last entry
 */
export function partOfList({ bytes, ends }: EncodedList, from: number, to: number): Uint8Array {
  if (to <= from) return bytes.subarray(0, 0)
  return bytes.subarray(from === 0 ? 0 : ends[from - 1]! + 1, ends[to - 1])
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
