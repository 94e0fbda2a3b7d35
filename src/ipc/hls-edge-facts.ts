/** What an HTTP worker gave out of the HLS that other servers have. Counters count since its start. */
export interface HlsEdgeFacts {
  /** In memory. */
  files: number
  bytes: number
  /** Requests that other servers were asked with. */
  fetches: number
  /**
   * Requests of clients: `hit` from memory, `miss` fetched for them and for all who waited with them, `stale` from memory
   * though no server answers, `absent` no server has it, `failed` none answers, or there is no room.
   */
  answers: Record<HlsEdgeOutcome, number>
}

export type HlsEdgeOutcome = 'hit' | 'miss' | 'stale' | 'absent' | 'failed'
