/** What a program runs for. */
export type ProgramKind = 'transcode' | 'exec' | 'ingest'

/** A program of others that runs for a stream, or brings one. */
export interface ProgramFacts {
  kind: ProgramKind
  /** The engine of a transcode, the number of a line of exec, or the name of an ingest and its engine. */
  name: string
  vhost: string
  /** The stream that it runs for; '' for an ingest. */
  stream: string
  /** `waiting`: it ended, and is started again soon. */
  state: 'running' | 'waiting' | 'stopping' | 'stopped'
  /** 0 unless it runs. */
  pid: number
  /** How often it was started after it had ended. */
  restarts: number
  /** Why it ended when it last failed; '' if it never did. */
  lastError: string
  /** How long it has been running; 0 unless it runs. */
  upMs: number
}
