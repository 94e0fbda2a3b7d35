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
  readonly #own: string[] = []
  readonly #shared: Uint8Array[] = []
  readonly #shares: number[] = []
  /** The numbers in `#shared`, by what they are of. */
  readonly #numbers = new Map<string, number>()
  /** The client before, and what it shares: the next one is often alike. */
  #last: { readonly client: Counted<ClientInfo>; readonly number: number } | null = null

  add(client: Counted<ClientInfo>, { sendKbps, recvKbps }: ByteRates): void {
    const { id, ip, aliveSeconds, sendBytes, recvBytes } = client
    const alive = Math.round(aliveSeconds * 1000) / 1000
    if (this.#last === null || !isAlike(client, this.#last.client)) {
      this.#last = { client, number: this.#shareOf(client) }
    }
    this.#shares.push(this.#last.number)
    this.#own.push(
      `{"id":${quoted(id)},"ip":${quoted(ip)},"alive":${alive},"send_bytes":${sendBytes},"recv_bytes":${recvBytes}` +
        `,"kbps":{"recv_30s":${recvKbps},"send_30s":${sendKbps}}`,
    )
  }

  end(): EncodedList {
    return { own: Buffer.from(this.#own.join('\n')), shared: this.#shared, shares: this.#shares }
  }

  #shareOf(client: Counted<ClientInfo>): number {
    const { vhost, app, stream, pageUrl, swfUrl, tcUrl, type, publish, protocol } = client
    const id = streamId({ vhost, app, stream })
    const text =
      `,"vhost":${quoted(vhost)},"stream":"${streamTag(id)}","url":${quoted(urlOf(vhost, app, stream))}` +
      `,"name":${quoted(stream)},"pageUrl":${quoted(pageUrl)},"swfUrl":${quoted(swfUrl)}` +
      `,"tcUrl":${quoted(tcUrl)},"type":${quoted(type)},"publish":${publish},"protocol":${quoted(protocol)}}`
    const known = this.#numbers.get(text)
    if (known !== undefined) return known
    this.#numbers.set(text, this.#shared.length)
    return this.#shared.push(Buffer.from(text)) - 1
  }
}

/** Whether what two clients share is the same. */
function isAlike(a: Counted<ClientInfo>, b: Counted<ClientInfo>): boolean {
  return (
    a.stream === b.stream &&
    a.app === b.app &&
    a.vhost === b.vhost &&
    a.tcUrl === b.tcUrl &&
    a.pageUrl === b.pageUrl &&
    a.swfUrl === b.swfUrl &&
    a.type === b.type &&
    a.publish === b.publish &&
    a.protocol === b.protocol
  )
}

const lineFeed = 0x0a
const comma = 0x2c

/**
 * Entries of a list as JSON, with commas between them. Bytes are copied and no text is made of them: for a list of a thousand
 * that is a tenth of the time.
 * @param to behind the last entry
 */
export function entriesJson({ own, shared, shares }: EncodedList, from: number, to: number): Buffer {
  if (to <= from) return Buffer.alloc(0)
  const lines = Buffer.from(own.buffer, own.byteOffset, own.byteLength)
  const ends: number[] = []
  for (let at = 0; ends.length < to; ) {
    const found = lines.indexOf(lineFeed, at)
    const end = found < 0 ? lines.length : found
    ends.push(end)
    at = end + 1
  }
  const begin = from === 0 ? 0 : ends[from - 1]! + 1
  const sharedBytes = shares.slice(from, to).reduce((sum, share) => sum + shared[share]!.length, 0)
  // The line feeds between the lines give their places to the commas.
  const json = Buffer.allocUnsafe(ends[to - 1]! - begin + sharedBytes)
  let written = 0
  for (let entry = from, start = begin; entry < to; entry += 1) {
    if (entry > from) {
      json[written] = comma
      written += 1
    }
    const end = ends[entry]!
    lines.copy(json, written, start, end)
    written += end - start
    const rest = shared[shares[entry]!]!
    json.set(rest, written)
    written += rest.length
    start = end + 1
  }
  return json
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
