/** What a node knows of its connection to the registry. Counters count since it joined the cluster. */
export interface RegistryFacts {
  /** Redis has answered last. */
  connected: boolean
  /** Streams of this node. */
  held: number
  /** How often Redis went away. */
  outages: number
  /** Streams that were taken while it was. */
  acceptedAlone: number
  /** Streams that turned out to be another node's. */
  lost: number
}

/** A node of the cluster as it has told of itself. */
export interface NodeFacts {
  node: string
  rtmp: string
  http: string
  version: string
  serverId: string
  streams: number
  uptimeSeconds: number
  /** Since it was heard of, in milliseconds. */
  ageMs: number
  /** It was heard of within a lease. */
  alive: boolean
}

/** Where a stream of the cluster is. */
export interface ClusterStream {
  stream: string
  node: string
  rtmp: string
}

/** A part of the list of the cluster's streams. */
export interface ClusterPage {
  /** Length of the whole list. */
  total: number
  streams: ClusterStream[]
}

/** The cluster as this node knows it. */
export interface ClusterStatus extends ClusterPage, RegistryFacts {
  /** Of this node. */
  node: string
  nodes: NodeFacts[]
}
