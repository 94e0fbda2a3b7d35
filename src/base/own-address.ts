import { networkInterfaces } from 'node:os'

/** An address that other machines may know this one by, for logs; its own loopback if there is none. */
export function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  const outer = all.filter(({ internal }) => !internal)
  return (outer.find(({ family }) => family === 'IPv4') ?? outer[0])?.address ?? '127.0.0.1'
}
