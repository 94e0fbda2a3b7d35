import { versionOf } from '../system/machine.ts'
import { nginxVersion } from './nginx-rtmp.ts'
import { nodeMediaServerVersion } from './node-media-server.ts'

/** The versions of the servers that Weir is measured against; null: not here. */
export interface Peers {
  /** As a server of files. */
  readonly nginx: string | null
  readonly nginxRtmp: string | null
  readonly nodeMediaServer: string | null
}

export function findPeers(): Peers {
  return {
    nginx: versionOf('nginx', '-v'),
    nginxRtmp: nginxVersion(),
    nodeMediaServer: nodeMediaServerVersion(),
  }
}

/** What to say about the peers that are missing, and how to get them. */
export function missingPeers(peers: Peers): string[] {
  return [
    peers.nginxRtmp === null
      ? 'nginx-rtmp is not here and left out (Debian, Ubuntu: apt-get install nginx libnginx-mod-rtmp)'
      : null,
    peers.nodeMediaServer === null
      ? 'node-media-server is not here and left out (npm ci --prefix bench)'
      : null,
  ].filter((text) => text !== null)
}
