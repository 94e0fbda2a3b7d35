import { networkInterfaces } from 'node:os'

/** An address of this machine, and the network device that has it. */
export interface DeviceAddress {
  readonly device: string
  readonly address: string
  readonly family: string
}

/** All addresses of this machine. */
export function deviceAddresses(): DeviceAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([device, infos]) =>
    (infos ?? []).map(({ address, family }) => ({ device, address, family })),
  )
}

/** IPv4 addresses of this machine but for loopback, in the order in which the system lists them. */
export function ownAddresses(): string[] {
  return deviceAddresses()
    .filter(({ address, family }) => family === 'IPv4' && !address.startsWith('127.'))
    .map(({ address }) => address)
}

/** The address with that number among {@link ownAddresses} (`stats { network }`); the first one if there are not so many. */
export function ownAddress(index: number): string {
  const own = ownAddresses()
  return own[index] ?? own[0] ?? ''
}
