import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { BroadcastOptions } from '../../src/live/broadcast.ts'
import { FlushClock } from '../../src/live/flush-clock.ts'
import { Viewer } from '../../src/live/viewer.ts'
import { PulledStream } from '../../src/pull/pulled-stream.ts'
import { rtmpFormat } from '../../src/stream/rtmp-muxer.ts'
import { interFrame, keyFrame, metadata, sound, videoHeader } from '../support/packets.ts'
import { PlaySocket } from '../support/play-socket.ts'

const options: BroadcastOptions = {
  gopCache: true,
  maxBehindMs: 10_000,
  maxBehindBytes: 1000,
  gopCacheMaxBytes: 10_000,
  stallMs: 30_000,
}

/** How nearly all players get it, and one that plays on another message stream. */
const usual = rtmpFormat(128, 1)
const other = rtmpFormat(128, 5)

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function setUp() {
  const onBusy = vi.fn()
  const onIdle = vi.fn()
  const pulled = new PulledStream('a/b/c', new FlushClock(0), options, { onBusy, onIdle })
  const join = (format = usual) => {
    const socket = new PlaySocket()
    const viewer = new Viewer(socket, () => {})
    return { socket, viewer, broadcast: pulled.join(format, viewer) }
  }
  const push = (...packets: Parameters<PulledStream['push']>[0][]): void => {
    for (const packet of packets) pulled.push(packet)
    vi.runAllTimers()
  }
  return { pulled, join, push, onBusy, onIdle }
}

describe('players', () => {
  test('of one format share their bytes', () => {
    const { join, push } = setUp()
    const [one, two] = [join(), join()]
    push(videoHeader('avc'), keyFrame(0))
    expect(one.socket.takeMarks()).toStrictEqual(['avc', '0'])
    expect(two.socket.written).toStrictEqual(one.socket.written)
    for (const [index, bytes] of one.socket.written.entries()) expect(two.socket.written[index]).toBe(bytes)
  })

  test('of another format get the stream on their message stream', () => {
    const { join, push } = setUp()
    const [one, two] = [join(usual), join(other)]
    push(keyFrame(0))
    expect(one.socket.take()).toMatchObject([{ streamId: 1 }])
    expect(two.socket.take()).toMatchObject([{ streamId: 5 }])
  })

  test('of a second format begin with the headers and the next key frame', () => {
    const { join, push } = setUp()
    join(usual)
    push(metadata('meta'), videoHeader('avc'), keyFrame(0))
    push(interFrame(3_600_000))
    const { socket } = join(other)
    push(sound(3_600_010), interFrame(3_600_040))
    expect(socket.take()).toStrictEqual([])
    push(keyFrame(3_600_080, 'key'))
    expect(socket.take()).toMatchObject(
      ['meta', 'avc', 'key'].map((mark) => ({ timestamp: 3_600_080, body: Buffer.from(mark) })),
    )
  })

  test('are counted over all formats', () => {
    const { pulled, join } = setUp()
    const [one, two] = [join(usual), join(other)]
    expect(pulled.players).toBe(2)
    pulled.leave(one.broadcast, one.viewer)
    pulled.leave(two.broadcast, two.viewer)
    expect(pulled.players).toBe(0)
  })

  test('are told of to the owner: the first that comes, the last that leaves', () => {
    const { pulled, join, onBusy, onIdle } = setUp()
    const one = join(usual)
    const two = join(other)
    expect(onBusy).toHaveBeenCalled()
    pulled.leave(one.broadcast, one.viewer)
    expect(onIdle).not.toHaveBeenCalled()
    pulled.leave(two.broadcast, two.viewer)
    expect(onIdle).toHaveBeenCalledTimes(1)
  })
})

describe('a format that nobody plays any more', () => {
  test('costs nothing while others go on', () => {
    const { pulled, join, push } = setUp()
    join(usual)
    push(keyFrame(0))
    for (let streamId = 2; streamId <= 16; streamId += 1) {
      const { broadcast, viewer } = join(rtmpFormat(128, streamId))
      pulled.leave(broadcast, viewer)
      const { packetsIn } = broadcast
      push(interFrame(40 * streamId))
      expect(broadcast.packetsIn).toBe(packetsIn)
    }
  })

  test('keeps the GOP for the next player if it is the only one', () => {
    const { pulled, join, push } = setUp()
    const { broadcast, viewer } = join(usual)
    push(keyFrame(0))
    pulled.leave(broadcast, viewer)
    push(interFrame(40))
    const next = join(usual)
    expect(next.broadcast).toBe(broadcast)
    expect(next.socket.takeMarks()).toStrictEqual(['0', '40'])
  })
})

describe('the stream', () => {
  test('counts what went out to players that are gone', () => {
    const { pulled, join, push } = setUp()
    join(usual)
    const { broadcast, viewer } = join(other)
    push(keyFrame(0))
    const before = pulled.bytesOut
    pulled.leave(broadcast, viewer)
    expect(pulled.bytesOut).toBe(before)
  })

  test('restarts and idles for all formats', () => {
    const { pulled, join, push } = setUp()
    const joined = [join(usual), join(other)]
    push(keyFrame(0))
    pulled.idle()
    const late = [join(usual), join(other)]
    pulled.restart()
    push(keyFrame(0, 'next'))
    for (const { socket } of joined) expect(socket.takeMarks()).toStrictEqual(['0', 'next'])
    for (const { socket } of late) expect(socket.takeMarks()).toStrictEqual(['next'])
  })

  test('counts what came, once, and what went out, to everybody', () => {
    const { pulled, join, push } = setUp()
    const sockets = [join(usual).socket, join(other).socket]
    push(keyFrame(0, 'key'), sound(10, 'sound'))
    expect(pulled).toMatchObject({ packetsIn: 2, bytesIn: 8 })
    const written = sockets.flatMap((socket) => socket.written).reduce((sum, { length }) => sum + length, 0)
    expect(pulled.bytesOut).toBe(written)
  })

  test('has headers once somebody plays it', () => {
    const { pulled, join, push } = setUp()
    expect(pulled.headers).toBeNull()
    join()
    push(videoHeader('avc'))
    expect(pulled.headers?.video?.body.toString()).toBe('avc')
  })

  test('takes other settings for all formats, also those to come', () => {
    const { pulled, join, push } = setUp()
    join(usual)
    join(other)
    push(keyFrame(0))
    pulled.options = { ...options, gopCache: false }
    for (const format of [usual, other, rtmpFormat(128, 9)]) {
      expect(join(format).socket.take()).toStrictEqual([])
    }
  })
})
