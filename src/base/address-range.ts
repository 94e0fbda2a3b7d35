import { isIP } from 'node:net'

/** A block of IP addresses (RFC 4632, RFC 4291): those that begin as this one does. */
export interface AddressRange {
  readonly address: string
  /** Bits that have to be the same. */
  readonly prefix: number
  readonly family: 'ipv4' | 'ipv6'
}

/** Reads an address or a block: `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`; null: it is neither. */
export function parseAddressRange(text: string): AddressRange | null {
  const [, address = '', digits] = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? []
  const version = isIP(address)
  if (version === 0) return null
  const bits = version === 4 ? 32 : 128
  const prefix = digits === undefined ? bits : Number(digits)
  return prefix > bits ? null : { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' }
}

/**
 * Whose connections count together: an IPv4 address, or the first 64 bits of an IPv6 address, which is the least that
 * one customer gets (RFC 6177): he has as many addresses in it as he wants.
 * @param ip as a socket has it; anything else stands for itself
 */
export function addressGroup(ip: string): string {
  if (isIP(ip) !== 6) return ip
  const [left = '', right] = ip.replace(/%.*$/, '').split('::')
  const head = groupsOf(left)
  const tail = right === undefined ? [] : groupsOf(right)
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => 0)
  const groups = [...head, ...zeros, ...tail].slice(0, 4)
  return `${groups.map((group) => group.toString(16)).join(':')}::/64`
}

/** The 16-bit groups of a part of an IPv6 address; the last one may be an IPv4 address, which is two. */
function groupsOf(part: string): number[] {
  if (part === '') return []
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return Number.parseInt(group, 16)
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
    return [a * 256 + b, c * 256 + d]
  })
}
