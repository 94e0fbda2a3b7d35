/**
 * Who an edge is, as it tells its origin in the argument behind connect's object, and who the origin is, as it answers: so
 * a connection can be followed from one server's log to the other's. The members are SRS's; `weir_server_id` is our own.
 */
import { version } from '../base/version.ts'
import { type AmfRecord, amfObject, asRecord, getNumber, getString } from '../media/amf-value.ts'

export interface EdgeIdentity {
  readonly serverId: string
  readonly pid: string
  /** What the edge's log calls the connection. */
  readonly connectionId: string
  /** As the edge knows it. */
  readonly ip: string
}

/** No id that is logged is longer. */
const maxLength = 64

/** The argument that tells an identity. */
export function edgeArguments({ serverId, pid, connectionId, ip }: EdgeIdentity): AmfRecord {
  return amfObject({
    ...{ srs_sig: 'Weir', srs_server: `weir/${version}`, srs_license: 'MIT', srs_role: 'edge' },
    ...{ srs_url: '', srs_version: version, srs_site: '', srs_email: '', srs_copyright: '' },
    ...{ srs_primary: 'weir', srs_authors: 'weir', srs_server_ip: ip },
    ...{ srs_pid: Number(pid), srs_id: connectionId, weir_server_id: serverId },
  })
}

/** The identity that a client tells; '' for what it leaves out. Null: it is no edge, or does not tell. */
export function readEdge(args: AmfRecord | null): EdgeIdentity | null {
  const connectionId = textOf(args, 'srs_id')
  if (connectionId === '') return null
  const [serverId, pid] = [textOf(args, 'weir_server_id'), textOf(args, 'srs_pid')]
  return { serverId, pid, connectionId, ip: textOf(args, 'srs_server_ip') }
}

/** Who a server is; '' for what it does not tell. */
export type PeerIdentity = Pick<EdgeIdentity, 'serverId' | 'pid' | 'connectionId'>

/** @param information what a server has answered to connect; its data has the fields of SRS, and ours */
export function peerOf(information: AmfRecord | null): PeerIdentity {
  const data = asRecord(information?.get('data'))
  return {
    connectionId: textOf(data, 'srs_id'),
    serverId: textOf(data, 'weir_server_id'),
    pid: textOf(data, 'srs_pid'),
  }
}

/** A member that servers send as a text or as a number. */
function textOf(record: AmfRecord | null, key: string): string {
  const text = getString(record, key) ?? String(getNumber(record, key) ?? '')
  return text.slice(0, maxLength)
}
