/** What a run shall do, and what the main thread and the threads that make the load say to each other. */
import type { HistogramData } from './histogram.ts'

export interface CommonPlan {
  readonly clients: number
  /** URL of each client, see client-url.ts. */
  readonly url: string
  /** Clients that begin to connect in a second, at most. */
  readonly rampPerSecond: number
  readonly threads: number
}

export interface PlayPlan extends CommonPlan {
  readonly kind: 'play'
  /** How many streams the players are spread over; null: each has a number of its own. */
  readonly streams: number | null
}

export interface PublishPlan extends CommonPlan {
  readonly kind: 'publish'
  /** Path of an FLV file. */
  readonly clip: string
  /** Whether players shall be able to tell gaps and latency. */
  readonly stamp: boolean
  /** Whether to begin anew at the end of the clip. */
  readonly loop: boolean
}

export type Plan = PlayPlan | PublishPlan

/** `workerData` of a thread. */
export interface ThreadPlan {
  readonly plan: Plan
  /** 0 .. threads - 1 */
  readonly thread: number
}

export type ToThread =
  /** Wants a `sample`. */
  | { readonly kind: 'sample' }
  /** Counts bytes, packets and latency anew. */
  | { readonly kind: 'measure' }
  /** Wants the `report`; then the clients take their leave and the thread ends. */
  | { readonly kind: 'finish' }

export type FromThread =
  /** All clients are up or have failed. */
  | { readonly kind: 'ramped' }
  | { readonly kind: 'sample'; readonly sample: Sample }
  | { readonly kind: 'report'; readonly report: ThreadReport }

/** How a thread is doing. */
export interface Sample {
  readonly up: number
  readonly failed: number
  /** Since the start. */
  readonly bytes: number
  /** Publishers that have sent all they had. */
  readonly done: number
}

/** What a thread did from `measure` on; errors, gaps and the like from the start. */
export interface ThreadReport {
  readonly up: number
  readonly errors: ReadonlyMap<string, number>
  readonly seconds: number
  /** Of all clients together. */
  readonly bytes: number
  /** Of each client that is up. */
  readonly bytesOfEach: Float64Array
  readonly figures: PlayFigures | PublishFigures
}

export interface PlayFigures {
  readonly kind: 'play'
  readonly firstPacket: HistogramData
  readonly latency: HistogramData
  readonly gaps: number
  readonly timestampErrors: number
  readonly framingErrors: number
  /** HLS: how long answers took, and how many there were. */
  readonly responses: HistogramData
  readonly playlists: number
  readonly segments: number
}

export interface PublishFigures {
  readonly kind: 'publish'
  readonly packets: number
  readonly late: number
}
