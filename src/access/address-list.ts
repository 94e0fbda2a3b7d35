import { BlockList, isIP } from 'node:net'
import { parseAddressRange } from '../base/address-range.ts'

/** A list of addresses and blocks of them, or of all there are. */
export class AddressList {
  readonly #blocks = new BlockList()
  #all = false

  /** @param entries `all`, an IP address or a block: `10.0.0.0/8`; what is none of these is in no list */
  constructor(entries: Iterable<string>) {
    for (const entry of entries) this.#add(entry)
  }

  /** @param ip as a socket has it; '' (not known) is in a list of all only */
  has(ip: string): boolean {
    if (this.#all) return true
    const plain = ip.replace(/%.*$/, '')
    const version = isIP(plain)
    return version !== 0 && this.#blocks.check(plain, version === 4 ? 'ipv4' : 'ipv6')
  }

  #add(entry: string): void {
    const range = parseAddressRange(entry)
    if (entry === 'all') this.#all = true
    else if (range !== null) this.#blocks.addSubnet(range.address, range.prefix, range.family)
  }
}
