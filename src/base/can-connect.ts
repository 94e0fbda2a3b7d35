import { connect } from 'node:net'

/** Where servers listen whose address names no port. */
const defaultPorts: Readonly<Record<string, number>> = { 'rtmp:': 1935, 'rtmps:': 443, 'https:': 443 }

/**
 * Whether a server accepts TCP connections. It never rejects.
 * @param address its base address: `rtmp://192.0.2.1:1935`; what is none leads nowhere
 * @param signal ends the attempt, which has failed then
 */
export function canConnect(address: string, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
  const url = URL.parse(address)
  if (url === null) return Promise.resolve(false)
  const { protocol, hostname, port } = url
  const socket = connect({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port) || (defaultPorts[protocol] ?? 80),
    ...(signal === undefined ? {} : { signal }),
  })
  return new Promise((resolve) => {
    const timer = setTimeout(() => socket.destroy(), timeoutMs)
    socket.once('connect', () => {
      resolve(true)
      socket.destroy()
    })
    // What went wrong does not matter.
    socket.on('error', () => {})
    socket.once('close', () => {
      clearTimeout(timer)
      resolve(false)
    })
  })
}
