/**
 * Entries of a list as the API tells them, in JSON, each in two pieces: most of it is the same for all players of a stream, and
 * travels once. Nobody on the way reads them.
 */
export interface EncodedList {
  /** What each entry has of its own and begins with, on a line of its own. */
  own: Uint8Array
  /** What entries have alike, up to their ends. */
  shared: Uint8Array[]
  /** For each entry the number of what it shares. */
  shares: number[]
}
