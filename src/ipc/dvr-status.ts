/** The recorder of a stream. */
export interface DvrStatus {
  enabled: boolean
  /** `dvr_plan` */
  plan: 'session' | 'segment' | 'append'
  /** Whether a file is being written. */
  recording: boolean
  /** What that file will be called; '' if there is none. Of it, bytes and length so far. */
  file: string
  bytes: number
  durationMs: number
  /** Recordings that are whole, and how often one could not be written, since the back-source has the stream. */
  files: number
  errors: number
}
