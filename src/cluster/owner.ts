/** The node of a cluster that has a stream's publisher. */
export interface StreamOwner {
  /** Its name. */
  readonly node: string
  /** Where it is reached over RTMP: `rtmp://192.0.2.1:1935`. */
  readonly rtmp: string
  /** Where its HTTP server is; '' when it told none. */
  readonly http: string
}
