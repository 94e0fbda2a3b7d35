import { BlockList } from 'node:net'
import { deviceAddresses } from '../../base/own-address.ts'
import { numberOf, numbersIn, readProc } from './proc-file.ts'

/** Bytes over the network since the machine started. */
export interface NetworkCounts {
  /** Over devices with a public address. */
  readonly recvBytes: number
  readonly sendBytes: number
  /** Over all others. */
  readonly innerRecvBytes: number
  readonly innerSendBytes: number
}

/** The machine's sockets. */
export interface SocketCounts {
  readonly tcp: number
  readonly established: number
  readonly timeWait: number
  readonly udp: number
}

/** Loopback, private networks (RFC 1918), and link-local addresses. */
const inner = new BlockList()
for (const [net, prefix] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
] as const) {
  inner.addSubnet(net, prefix)
}

export function networkCounts(): NetworkCounts {
  return parseNetwork(readProc('net/dev') ?? '', publicDevices())
}

/** @param text of /proc/net/dev (proc_pid_net(5)) */
export function parseNetwork(text: string, isPublic: ReadonlySet<string>): NetworkCounts {
  const counts = { recvBytes: 0, sendBytes: 0, innerRecvBytes: 0, innerSendBytes: 0 }
  for (const [, name, rest] of text.matchAll(/^\s*([^\s:|]+):(.*)$/gm)) {
    const fields = numbersIn(rest!)
    const [received = 0, sent = 0] = [fields[0], fields[8]]
    if (isPublic.has(name!)) {
      counts.recvBytes += received
      counts.sendBytes += sent
    } else {
      counts.innerRecvBytes += received
      counts.innerSendBytes += sent
    }
  }
  return counts
}

export function socketCounts(): SocketCounts {
  return parseSockets(readProc('net/sockstat') ?? '', readProc('net/snmp') ?? '')
}

/**
 * @param sockstat of /proc/net/sockstat: `TCP: inuse 5 orphan 0 tw 2 alloc 7 mem 1`
 * @param snmp of /proc/net/snmp: a line of names, then one of numbers
 */
export function parseSockets(sockstat: string, snmp: string): SocketCounts {
  const timeWait = Number(/^TCP:.*\btw (\d+)/m.exec(sockstat)?.[1] ?? 0)
  const allocated = Number(/^TCP:.*\balloc (\d+)/m.exec(sockstat)?.[1] ?? 0)
  const [names = '', values = ''] = [...snmp.matchAll(/^Tcp: (.*)$/gm)].map(([, rest]) => rest)
  const index = names.split(' ').indexOf('CurrEstab')
  return {
    tcp: allocated + timeWait,
    established: Number(values.split(' ')[index] ?? 0),
    timeWait,
    udp: numberOf(sockstat, 'UDP: inuse'),
  }
}

function publicDevices(): Set<string> {
  return new Set(
    deviceAddresses()
      .filter(({ address, family }) => family === 'IPv4' && !inner.check(address))
      .map(({ device }) => device),
  )
}
