/** What reads the body of an answer that is media, and checks it. */
export interface MediaBody {
  /**
   * Takes the next bytes: `bytes[start, end)`, not kept beyond the call.
   * @param nowMs when they came, by the machine's clock
   * @throws WeirError FLV_FORMAT, TS_FORMAT when they are broken; the place in the stream is lost then
   */
  push(bytes: Buffer, start: number, end: number, nowMs: number): void
}
