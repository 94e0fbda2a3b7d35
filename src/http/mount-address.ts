/** A mount as `http_static` and `http_remux` have it: a host and a path, `[vhost]/hls`. */
export interface MountAddress {
  /** The host that a request must name, in lower case; null: any that leads to the mount's virtual host. */
  readonly host: string | null
  /** With its leading slash. */
  readonly path: string
}

/** Takes a mount apart. `[vhost]` as the host stands for every host that leads to the virtual host, and so does none. */
export function mountAddress(mount: string): MountAddress {
  const slash = mount.indexOf('/')
  const host = slash < 0 ? mount : mount.slice(0, slash)
  return {
    host: host === '' || host === '[vhost]' ? null : host.toLowerCase(),
    path: slash < 0 ? '/' : mount.slice(slash),
  }
}
