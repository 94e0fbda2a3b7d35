/** An IPv4 client on a dual-stack port has an IPv6 address that holds its own; people look for its own. */
export function plainIp(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/, '')
}
