import { isHeader, type Packet, videoType } from '../media/packet.ts'
import { timestampDelta } from './timestamps.ts'

/**
 * Whether a stream has video at the moment. Who joins such a stream waits for a key frame; where no picture came
 * for a while (a camera that is switched off) nobody waits for one.
 */
export class VideoPresence {
  #present = false
  /** Time of the first packet after the last video packet; null: none yet. */
  #missingSince: number | null = null

  get present(): boolean {
    return this.#present
  }

  /**
   * Takes note of the stream's next packet. A sequence header announces video before the first picture.
   * @param timestamp the packet's time in milliseconds
   * @param maxSilenceMs without video for longer, the stream has none
   */
  note(packet: Packet, timestamp: number, maxSilenceMs: number): void {
    if (packet.type === videoType) {
      this.#present = true
      this.#missingSince = null
    } else if (this.#present && !isHeader(packet)) {
      this.#missingSince ??= timestamp
      if (timestampDelta(timestamp, this.#missingSince) > maxSilenceMs) this.clear()
    }
  }

  clear(): void {
    this.#present = false
    this.#missingSince = null
  }
}
