/**
 * Entries of a list as the API tells them, each in two pieces of JSON: most of it is the same for all players of a stream, and
 * travels once. Pieces are the members of an object, without braces.
 */
export interface EncodedList {
  /** What entries have alike. */
  shared: string[]
  /** For each entry the number of what it shares. */
  shares: number[]
  /** What each entry has of its own, on a line of its own. */
  own: string
}
