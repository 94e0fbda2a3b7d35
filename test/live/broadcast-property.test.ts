import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Broadcast } from '../../src/live/broadcast.ts'
import { Viewer } from '../../src/live/viewer.ts'
import {
  audioType,
  dataType,
  isHeader,
  isKeyFrame,
  keyFrameFlag,
  metadataFlag,
  type Packet,
  sequenceHeaderFlag,
  videoType,
} from '../../src/media/packet.ts'
import { FakeSocket, plainMuxer, StoppedClock } from './plain-wire.ts'

/** A player's socket takes `capacity` bytes before it is full; with a pull its peer has read everything. */
type Step =
  | { do: 'push'; kind: Pick<Packet, 'type' | 'flags'>; afterMs: number; size: number }
  | { do: 'flush' | 'restart' | 'idle' }
  | { do: 'join' | 'leave' | 'pull'; player: number }
  | { do: 'resize'; player: number; capacity: number }

const players = 4
const player = fc.nat(players - 1)
const maxBehindMs = 1000

const kind = fc.oneof(
  { arbitrary: fc.constant({ type: videoType, flags: 0 }), weight: 8 },
  { arbitrary: fc.constant({ type: audioType, flags: 0 }), weight: 8 },
  { arbitrary: fc.constant({ type: videoType, flags: keyFrameFlag }), weight: 3 },
  { arbitrary: fc.constant({ type: videoType, flags: sequenceHeaderFlag }), weight: 1 },
  { arbitrary: fc.constant({ type: audioType, flags: sequenceHeaderFlag }), weight: 1 },
  { arbitrary: fc.constant({ type: dataType, flags: metadataFlag }), weight: 1 },
  { arbitrary: fc.constant({ type: dataType, flags: 0 }), weight: 1 },
)

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    arbitrary: fc.record({
      do: fc.constant('push' as const),
      kind,
      afterMs: fc.oneof(fc.nat(50), fc.nat(600)),
      size: fc.integer({ min: 4, max: 60 }),
    }),
    weight: 30,
  },
  { arbitrary: fc.record({ do: fc.constant('flush' as const) }), weight: 15 },
  { arbitrary: fc.record({ do: fc.constantFrom('restart' as const, 'idle' as const) }), weight: 1 },
  { arbitrary: fc.record({ do: fc.constant('join' as const), player }), weight: 4 },
  { arbitrary: fc.record({ do: fc.constant('leave' as const), player }), weight: 1 },
  { arbitrary: fc.record({ do: fc.constant('pull' as const), player }), weight: 6 },
  {
    arbitrary: fc.record({
      do: fc.constant('resize' as const),
      player,
      capacity: fc.constantFrom(1, 100, 300, 10_000),
    }),
    weight: 4,
  },
)

type HeaderKind = 'metadata' | 'video' | 'audio'
type InForce = Partial<Record<HeaderKind, number>>

function headerKind(packet: Packet): HeaderKind | null {
  if (!isHeader(packet)) return null
  if (packet.type === videoType) return 'video'
  return packet.type === audioType ? 'audio' : 'metadata'
}

/** What was pushed, by number; the number is the first thing in a packet's body. */
interface Pushed {
  readonly packet: Packet
  /** Numbers of the headers that a decoder needs for it. */
  readonly inForce: InForce
  /** Whether who begins here sees a picture, or could not expect one for now. */
  readonly isEntry: boolean
}

/** The stream as it was pushed, and what must hold for those who watch it. */
class Stream {
  readonly pushed: Pushed[] = []
  #inForce: InForce = {}
  #time = 0
  #lastVideoTime = Number.NEGATIVE_INFINITY

  next(kind: Pick<Packet, 'type' | 'flags'>, afterMs: number, size: number): Packet {
    this.#time += afterMs
    const body = Buffer.alloc(size)
    body.writeUInt32BE(this.pushed.length)
    const packet: Packet = { ...kind, timestamp: this.#time, body }
    if (packet.type === videoType) this.#lastVideoTime = this.#time
    const isEntry = isKeyFrame(packet) || this.#time - this.#lastVideoTime > maxBehindMs
    this.pushed.push({ packet, inForce: { ...this.#inForce }, isEntry })
    const header = headerKind(packet)
    if (header !== null) this.#inForce[header] = this.pushed.length - 1
    return packet
  }

  restart(): void {
    this.#inForce = {}
    this.#time = 0
    this.#lastVideoTime = Number.NEGATIVE_INFINITY
  }

  /** @returns the number of the last packet that a player got; -1: none */
  check(received: readonly Packet[]): number {
    let last = -1
    let lastTime = 0
    const known: InForce = {}
    for (const packet of received) {
      const number = packet.body.readUInt32BE()
      const { packet: original, inForce, isEntry } = this.pushed[number]!
      expect(packet).toMatchObject({ type: original.type, flags: original.flags, body: original.body })
      expect(packet.timestamp).toBeGreaterThanOrEqual(lastTime)
      lastTime = packet.timestamp
      const header = headerKind(packet)
      const isNext = last >= 0 && number === last + 1
      const isReady = Object.entries(inForce).every(([name, needed]) => known[name as HeaderKind] === needed)
      if (header === null || (isNext && isReady)) {
        expect(isReady, `${number} needs its headers`).toBe(true)
        expect(isNext || (isEntry && number > last), `${number} may not follow ${last}`).toBe(true)
        last = number
      }
      // Out of turn, headers are those for the place where the player begins.
      if (header !== null) known[header] = number
    }
    return last
  }
}

class Player {
  readonly socket = new FakeSocket()
  readonly viewer = new Viewer(this.socket, () => {})
  isThere = false
}

function run(steps: readonly Step[], gopCache: boolean): void {
  const broadcast = new Broadcast(plainMuxer, new StoppedClock(), {
    gopCache,
    maxBehindMs,
    maxBehindBytes: 400,
    gopCacheMaxBytes: 2000,
    stallMs: 30_000,
  })
  const stream = new Stream()
  const all = Array.from({ length: players }, () => new Player())

  const pull = ({ socket, viewer }: Player): void => {
    socket.drain()
    broadcast.onDrain(viewer)
  }
  const take = (step: Step): void => {
    switch (step.do) {
      case 'push':
        broadcast.push(stream.next(step.kind, step.afterMs, step.size))
        return
      case 'flush':
        broadcast.flush()
        return
      case 'restart':
        stream.restart()
        broadcast.restart()
        return
      case 'idle':
        broadcast.idle()
        return
    }
    const one = all[step.player]!
    switch (step.do) {
      case 'join':
        if (!one.isThere) broadcast.join(one.viewer)
        one.isThere = true
        return
      case 'leave':
        broadcast.leave(one.viewer)
        one.isThere = false
        stream.check(one.socket.take())
        return
      case 'pull':
        pull(one)
        return
      case 'resize':
        one.socket.capacity = step.capacity
    }
  }
  for (const step of steps) {
    take(step)
    expect(broadcast.viewers).toBe(all.filter(({ isThere }) => isThere).length)
  }

  broadcast.push(stream.next({ type: videoType, flags: keyFrameFlag }, 0, 4))
  broadcast.flush()
  for (const there of all.filter(({ isThere }) => isThere)) {
    there.socket.capacity = Number.POSITIVE_INFINITY
    pull(there)
    expect(stream.check(there.socket.take()), 'the last packet reaches everybody').toBe(
      stream.pushed.length - 1,
    )
  }
}

test('each player gets headers, then the stream from a key frame on; what it loses ends at a key frame', () => {
  fc.assert(fc.property(fc.array(step, { minLength: 1, maxLength: 200, size: 'max' }), fc.boolean(), run), {
    numRuns: 300,
  })
})
