import { codeOf, WeirError } from '../../base/errors.ts'
import { readFlvFile } from '../../client/flv-file.ts'
import { isEndOfSequence } from '../../media/end-of-sequence.ts'
import { isHeader, type Packet, type PacketType } from '../../media/packet.ts'

/** How far tracks of two rounds may overlap. */
const maxOverlapMs = 100

/** The times of one track's frames in a round, in milliseconds. */
interface TrackTimes {
  readonly firstMs: number
  lastMs: number
  frames: number
}

/**
 * The packets of an FLV file again and again, at the times of one stream that goes on: a round begins where the one before
 * would have had its next frame. Headers come again only if they have changed meanwhile. The file is read as they are taken.
 * @throws WeirError FLV_FORMAT when the file is none, or has no time in it; the system's error when it cannot be read
 */
export async function* loopFlvFile(path: string): AsyncGenerator<Packet, never, undefined> {
  const headers = new Map<string, Buffer>()
  let offsetMs = 0
  for (;;) {
    const round = new Round()
    for await (const packet of wholePackets(path, round)) {
      if (isEndOfSequence(packet)) continue
      if (isHeader(packet)) {
        const key = `${packet.type} ${packet.flags}`
        if (headers.get(key)?.equals(packet.body)) continue
        headers.set(key, packet.body)
      }
      yield { ...packet, timestamp: (offsetMs + round.timeOf(packet)) >>> 0 }
    }
    if (round.durationMs === 0) throw new WeirError('FLV_FORMAT', `${path} has no frames, or all at one time`)
    offsetMs += round.durationMs
  }
}

/** A recording that was cut off may end within a tag: what is before it is as good as ever. */
async function* wholePackets(path: string, round: Round): AsyncGenerator<Packet, void, undefined> {
  try {
    yield* readFlvFile(path)
  } catch (error) {
    if (codeOf(error) !== 'FLV_FORMAT' || round.durationMs === 0) throw error
  }
}

/** One time through the file. */
class Round {
  readonly #tracks = new Map<PacketType, TrackTimes>()
  #startMs: number | null = null

  /** @returns when the packet is due, in milliseconds from the beginning of the round */
  timeOf(packet: Packet): number {
    // Headers often carry 0 in a file that begins later.
    if (isHeader(packet)) return this.#endMs
    this.#startMs ??= packet.timestamp
    const timeMs = Math.max(0, packet.timestamp - this.#startMs)
    const track = this.#tracks.get(packet.type)
    if (track === undefined) this.#tracks.set(packet.type, { firstMs: timeMs, lastMs: timeMs, frames: 1 })
    else {
      track.lastMs = Math.max(track.lastMs, timeMs)
      track.frames += 1
    }
    return timeMs
  }

  /**
   * When the next round begins: each track goes on where its own frames end. Tracks that do not begin and end together
   * (a sound that comes first) may overlap a little; one that is much longer than the others is waited for.
   */
  get durationMs(): number {
    const lengths = [...this.#tracks.values()].map(({ firstMs, lastMs, frames }) => {
      return frames > 1 ? lastMs - firstMs + Math.max(1, Math.round((lastMs - firstMs) / (frames - 1))) : 0
    })
    return Math.max(0, this.#endMs - maxOverlapMs, ...lengths)
  }

  get #endMs(): number {
    return Math.max(0, ...[...this.#tracks.values()].map(({ lastMs }) => lastMs))
  }
}
